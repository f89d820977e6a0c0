/** Figures and tables as the benches print them. */

const STEPS: readonly (readonly [factor: number, prefix: string])[] = [
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
  [1, ""],
];

/** Three significant digits with a prefix of powers of 1000: "52.1 k/s", "9.87 Gbit/s". */
export function formatQuantity(value: number, unit: string): string {
  const rounded = Number(value.toPrecision(3));
  const [factor, prefix] = STEPS.find(([step]) => rounded >= step) ?? [1, ""];
  return `${significant(rounded / factor)} ${prefix}${unit}`;
}

/** Three significant digits, never an exponent. */
export function significant(value: number): string {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded))));
  return value.toFixed(Math.min(digits, 6));
}

/** "61.2 MB", powers of 1000. */
export function formatMegabytes(bytes: number): string {
  return `${significant(bytes / 1e6)} MB`;
}

/** "1.24" */
export function formatRatio(ratio: number): string {
  return ratio.toFixed(2);
}

/** Aligned columns with two spaces between: text to the left, columns listed in `numeric` to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], numeric: readonly number[]) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      widths
        .map((width, column) => {
          const cell = row[column] ?? "";
          return numeric.includes(column) ? cell.padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = head.map((_, column) => (numeric.includes(column) ? "---:" : "---"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
