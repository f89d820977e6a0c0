/** Reading small files of /proc and /sys. Their contents vary with kernels and containers: whatever is odd counts as unknown. */
import { readFileSync } from "node:fs";

export type ReadText = (path: string) => string | undefined;

/** The file's text, or undefined when it cannot be read for any reason: absent, forbidden, or refused by the driver (EINVAL). */
export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** A non-negative decimal whole number that a double holds exactly, or undefined. */
export function wholeNumber(text: string | undefined): number | undefined {
  const digits = text?.trim() ?? "";
  if (!/^\d+$/.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The first line, trimmed and kept short, or undefined when there is nothing in it. */
export function firstLine(text: string | undefined): string | undefined {
  const line = text
    ?.trimStart()
    .split(/[\n\0]/, 1)[0]
    ?.trim()
    .slice(0, 256);
  return line === "" ? undefined : line;
}

/** The words of a text, e.g. of a list in /proc/sys. */
export function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((word) => word !== "") ?? [];
}

/** Values of "name value" lines, as in cpu.stat. */
export function keyedNumbers(text: string | undefined): Map<string, number> {
  const values = new Map<string, number>();
  for (const line of text?.split("\n") ?? []) {
    const [name = "", digits] = line.trim().split(/\s+/);
    const value = wholeNumber(digits);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}
