import { defaultText, rangeText } from "./kinds.js";
import type { Row, Table } from "./row.js";
import { accessTable, runTable, serveTable } from "./table.js";

const HEAD = "| flag | in code | default | range | applies to | meaning |\n|---|---|---|---|---|---|";

/** The README's tables of all options, as markdown without a trailing newline. */
export function renderOptionsTables(): string {
  return [
    "Options of a run (`cnb-load COMMAND HOST`, `run()`):",
    `${HEAD}\n${rowsOf(runTable)}`,
    "Options of a run that say who asks for it; they are neither sent nor part of a result:",
    `${HEAD}\n${rowsOf(accessTable)}`,
    "Options of a server (`cnb-load server`, `serve()`):",
    `${HEAD}\n${rowsOf(serveTable)}`,
  ].join("\n\n");
}

function rowsOf(table: Table): string {
  return Object.entries(table)
    .map(([key, row]) => `| ${cellsOf(key, row).map(escapeCell).join(" | ")} |`)
    .join("\n");
}

function cellsOf(key: string, row: Row): string[] {
  const flags = row.flags.split(", ").map((flag) => `\`${flag}\``);
  return [flags.join(", "), `\`${key}\``, defaultText(row), rangeText(row), row.commands.join(", "), row.help];
}

/** A bar would end the cell, even within backticks. */
function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
