/** The number that follows in a tool's output; `pattern` has one group. Throws where there is none. */
export function numberAfter(pattern: RegExp, output: string): number {
  const value = Number(pattern.exec(output)?.[1] ?? NaN);
  if (!Number.isFinite(value)) throw new Error(`no figure (${String(pattern)}) in its output: ${excerpt(output)}`);
  return value;
}

/** All of them. */
export function numbersAfter(pattern: RegExp, output: string): number[] {
  return [...output.matchAll(pattern)].map((match) => Number(match[1]));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function excerpt(output: string): string {
  const line = output.trim().replaceAll(/\s+/g, " ");
  return line.length > 200 ? `...${line.slice(-200)}` : line === "" ? "(nothing)" : line;
}

export function isBulk({ test }: { test: string }): boolean {
  return test === "stream" || test === "maerts" || test === "udp-stream";
}
