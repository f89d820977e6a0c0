import type { FigureTable } from "./figures.js";

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** For text and for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Columns of words rather than figures. */
const WORDS = new Set([
  ...["end", "host", "kernel", "CPU", "governor", "interface", "driver", "cnb-load", "warnings"],
  ...["with", "here", "figures", "state", "variant", "reason"],
]);

/** The first cell of a row is its heading. A table wider than the page scrolls by itself, with the keyboard as well. */
export function htmlTable({ head, rows }: FigureTable, caption: string): string {
  const kind = (column: number): string => (WORDS.has(head[column] ?? "") ? ' class="text"' : "");
  const heads = head.map((name, column) => `<th scope="col"${kind(column)}>${escapeHtml(name)}</th>`).join("");
  const body = rows.map(([first = "", ...cells]) => {
    const rest = cells.map((cell, column) => `<td${kind(column + 1)}>${escapeHtml(cell ?? "")}</td>`).join("");
    return `<tr><th scope="row">${escapeHtml(first)}</th>${rest}</tr>`;
  });
  const table = `<table><thead><tr>${heads}</tr></thead><tbody>${body.join("\n")}</tbody></table>`;
  return `<div class="scroll" role="region" aria-label="${escapeHtml(caption)}" tabindex="0">${table}</div>`;
}
