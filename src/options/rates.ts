const NUMBER = /^(\d+(?:\.\d+)?)([kmgt]?)$/i;
const FACTORS = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const UNITS = [
  ["T", 1e12],
  ["G", 1e9],
  ["M", 1e6],
  ["k", 1e3],
] as const;

/** Of "10k/s" or "1.5M" (powers of 1000), per second, or undefined where that is no whole number. */
export function parseRate(text: string): number | undefined {
  return parseScaled(text.trim().replace(/\s*\/\s*s$/i, ""));
}

/** Bits per second of "100M" or "2.5 Gbit/s" (powers of 1000), or undefined where that is no whole number. */
export function parseBitRate(text: string): number | undefined {
  return parseScaled(text.trim().replace(/(?:bit\/s|bps)$/i, ""));
}

function parseScaled(text: string): number | undefined {
  const match = NUMBER.exec(text.replace(/ (?=[kmgt]?$)/i, ""));
  if (match === null) return undefined;
  const factor = FACTORS[(match[2] ?? "").toLowerCase() as keyof typeof FACTORS];
  const number = Number(match[1]);
  // 2.3 * 1e6 is not quite whole in binary, 2.3e6 is.
  const value = Math.round(number * factor);
  return value / factor === number && Number.isSafeInteger(value) ? value : undefined;
}

/** For messages: 40000000 is "40 Mbit/s". */
export function formatBandwidth(bitsPerSecond: number): string {
  const [unit, factor] = UNITS.find(([, least]) => bitsPerSecond >= least) ?? ["", 1];
  return `${bitsPerSecond / factor} ${unit}bit/s`;
}

/** The next figure of four digits, so that what exceeds a limit does not read as the limit itself: 5242880000 is 5243000000. */
export function roundUp(value: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 3);
  return Math.ceil(value / step) * step;
}

/** The shortest exact spelling: 1500000 is "1.5M", 1234 is "1234". */
export function formatScaled(value: number): string {
  for (const [unit, factor] of UNITS) {
    if (value >= factor && value % (factor / 10) === 0) return `${value / factor}${unit}`;
  }
  return String(value);
}
