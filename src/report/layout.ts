export type Cell = string | undefined;

/** The cell of a figure that may be absent. */
export function known<T>(value: T | undefined, format: (value: T) => string): Cell {
  return value === undefined ? undefined : format(value);
}

/**
 * Rows as aligned lines: the first column to the left, the others to the right, two spaces between. A column that is empty in every
 * row but the head is left out.
 */
export function alignRows(head: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const used = head.map((_, column) => column === 0 || rows.some((row) => (row[column] ?? "") !== ""));
  const all = [head, ...rows].map((row) =>
    head.map((_, column) => row[column] ?? "").filter((_, column) => used[column]),
  );
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)));
  return all.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] as number, column))
      .join("  ")
      .trimEnd(),
  );
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** What came from a file must not drive the terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

/** Label and text as aligned lines. */
export function alignPairs(pairs: readonly (readonly [label: string, text: string])[]): string[] {
  const width = Math.max(...pairs.map(([label]) => label.length));
  return pairs.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
}

/** Words wrapped to a width, every line indented. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}
