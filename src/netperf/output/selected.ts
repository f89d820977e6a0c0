/** The output of -k, -o and -O. */
import type { Figures } from "../client/figures.js";
import type { Row } from "./selector-kinds.js";

type Blocks = readonly (readonly Row[])[];

/** NAME=value lines; what has no value is left out. */
export function renderKeyval(figures: Figures, blocks: Blocks): string {
  return blocks
    .flat()
    .flatMap(([name, , format, value]) => {
      const known = value(figures);
      return known === undefined ? [] : [`${name}=${format(known)}\n`];
    })
    .join("");
}

/** One line of headings, if they are wanted, and one of values. */
export function renderCsv(figures: Figures, blocks: Blocks): string {
  const rows = blocks.flat();
  const values = rows.map(([, , format, value]) => format(value(figures))).join(",");
  const headings = figures.settings.headers ? `${rows.map(([, heading]) => heading).join(",")}\n` : "";
  return `${headings}${values}\n`;
}

const HEADING_ROWS = 4;

/** Columns, a word of the heading to a row. */
export function renderHuman(figures: Figures, blocks: Blocks): string {
  return blocks.map((rows) => renderBlock(figures, rows)).join("\n");
}

function renderBlock(figures: Figures, rows: readonly Row[]): string {
  const columns = rows.map(([, heading, format, value]) => {
    const cell = format(value(figures));
    const lines = headingLines(heading);
    return { lines, cell, width: Math.max(cell.length + 1, ...lines.map((line) => line.length)) };
  });
  const row = (pick: (column: (typeof columns)[number]) => string): string =>
    columns.map((column) => `${pick(column).padEnd(column.width)} `).join("") + "\n";
  const heads = figures.settings.headers
    ? Array.from({ length: HEADING_ROWS }, (_, index) => row(({ lines }) => lines[index] ?? ""))
    : [];
  return heads.join("") + row(({ cell }) => cell);
}

/** Words that share a line of a heading. */
const TOGETHER = /(?:Send|Recv)( )Socket|Width( )\(%\)|Per( )CPU|Type( )ID|Enabled( )Num|(?<=Peak Per CPU Util)( )%/g;

function headingLines(heading: string): string[] {
  const joined = heading.replace(TOGETHER, (match) => match.replace(" ", "\u00a0"));
  return joined.split(" ").map((line) => line.replace("\u00a0", " "));
}
