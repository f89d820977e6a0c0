/** C's %-6.2f and %6.2f. */
export const left = (value: number | string, width: number, digits?: number): string =>
  (typeof value === "string" ? value : digits === undefined ? String(value) : value.toFixed(digits)).padEnd(width);
export const right = (value: number, width: number, digits?: number): string =>
  (digits === undefined ? String(value) : value.toFixed(digits)).padStart(width);
