const RATE = /^(\d+(?:\.\d+)?)([kmg])?(?:\/s)?$/i;
const FACTORS = { k: 1e3, m: 1e6, g: 1e9 };

/** Units per second of "250k", "1.5M" or "10G/s" (powers of 1000), or undefined where it is none. */
export function parseRate(text: string): number | undefined {
  const match = RATE.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2]?.toLowerCase() as keyof typeof FACTORS | undefined;
  const rate = Number(match[1]) * (unit === undefined ? 1 : FACTORS[unit]);
  return Number.isFinite(rate) ? rate : undefined;
}
