const NUMBER = /^(\d+(?:\.\d+)?)([kmgt]?)$/i;
const FACTORS = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

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

/** To four digits, for messages: 5242880000 is "5.243G". */
export function formatRoughly(value: number): string {
  return formatScaled(Number(value.toPrecision(4)));
}

/** The shortest exact spelling: 1500000 is "1.5M", 1234 is "1234". */
export function formatScaled(value: number): string {
  for (const [unit, factor] of [
    ["T", 1e12],
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const) {
    if (value >= factor && value % (factor / 10) === 0) return `${value / factor}${unit}`;
  }
  return String(value);
}
