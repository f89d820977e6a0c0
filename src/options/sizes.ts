const SIZE = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib?)?)?$/i;
const FACTORS = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of "64K", "1.5Mi" or "2GiB" (powers of 1024), or undefined where that is no whole number of bytes. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2]?.toLowerCase() as keyof typeof FACTORS | undefined;
  const bytes = Number(match[1]) * (unit === undefined ? 1 : FACTORS[unit]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest exact spelling that {@link parseSize} reads back: 131072 is "128K", 1000 is "1000". */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ["G", FACTORS.g],
    ["M", FACTORS.m],
    ["K", FACTORS.k],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}
