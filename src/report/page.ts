/** What pages of reports are made of: the frame, sections, charts with the table behind them. */
import type { Chart } from "./charts.js";
import type { Draw } from "./draw.js";
import { type FigureTable, withoutEmptyColumns } from "./figures.js";
import { escapeHtml, htmlTable } from "./html-text.js";
import { STYLE } from "./html-theme.js";

/** A page that is whole in itself: style and charts inside, no script, nothing loaded. `body` is markup; empty parts are left out. */
export function htmlPage(title: string, body: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
${body.filter((part) => part !== "").join("\n")}
</body>
</html>
`;
}

/** `note` and `content` are markup; nothing where there is no content. */
export function section(title: string, note: string, content: string): string {
  if (content === "") return "";
  return `<section><h2>${escapeHtml(title)}</h2>${note === "" ? "" : `<p class="note">${note}</p>`}${content}</section>`;
}

export const cards = (figures: readonly string[]): string =>
  figures.length === 0 ? "" : `<div class="cards">${figures.join("\n")}</div>`;

/** A chart with its title, what it is for those who do not see it, and the table behind it. */
export function card(draw: Draw, title: string, about: string, chart: Chart, behind: FigureTable): string {
  const heading = `<h3>${escapeHtml(title)}</h3>`;
  const picture = `<div role="img" aria-label="${escapeHtml(about)}">${draw(chart)}</div>`;
  const table = `<details><summary>Table</summary>${htmlTable(withoutEmptyColumns(behind), title)}</details>`;
  return `<figure><figcaption>${heading}</figcaption>${picture}${table}</figure>`;
}
