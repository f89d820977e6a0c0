const SIZE = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib?)?)?$/i;
const FACTORS = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const UNITS = [
  ["G", FACTORS.g],
  ["M", FACTORS.m],
  ["K", FACTORS.k],
] as const;

/** Bytes of "64K", "1.5Mi" or "2GiB" (powers of 1024), or undefined where that is no whole number of bytes. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2]?.toLowerCase() as keyof typeof FACTORS | undefined;
  const bytes = Number(match[1]) * (unit === undefined ? 1 : FACTORS[unit]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For messages, to four digits: 67108864 is "64M" as one would write it, 1500000 is "1.431M", 2 is "2 bytes". */
export function formatSizeRoughly(bytes: number): string {
  for (const [unit, factor] of UNITS) {
    if (bytes >= factor) return `${Number((bytes / factor).toPrecision(4))}${unit}`;
  }
  return `${bytes} bytes`;
}

/** The shortest exact spelling that {@link parseSize} reads back: 131072 is "128K", 1000 is "1000". */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of UNITS) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}
