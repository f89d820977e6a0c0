import { inspect } from "node:util";
import { CnbLoadError } from "../errors.js";

const MAX_SHOWN = 80;

/** How a refused value reads in a message: strings quoted, everything cut to a line's length. */
export function describeValue(value: unknown): string {
  const oneLine = { breakLength: Infinity, compact: true, depth: 1, customInspect: false } as const;
  const text = typeof value === "string" ? JSON.stringify(value) : inspect(value, oneLine);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}

/** The error for an option's value: names the option as the caller wrote it, what was expected and what came. */
export function invalidOption(option: string, expected: string, value: unknown): CnbLoadError {
  return new CnbLoadError("ERR_INVALID_OPTION", `${option}: expected ${expected}, got ${describeValue(value)}`, {
    option,
  });
}

/** The error for options that are each valid but do not go together. */
export function conflictingOption(option: string, message: string): CnbLoadError {
  return new CnbLoadError("ERR_INVALID_OPTION", `${option}: ${message}`, { option });
}

/** The known name nearest to a mistyped one, or undefined where none is near (more than a third of it differs). */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (best === undefined || distance < best.distance) best = { name: candidate, distance };
  }
  return best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.name : undefined;
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
