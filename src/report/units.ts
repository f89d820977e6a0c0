/** Numbers in the units that people read. Four significant digits throughout. */

interface Step {
  factor: number;
  unit: string;
}

const BIT_RATES: Step[] = steps(1000, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"]);
const RATES: Step[] = steps(1000, ["/s", "k/s", "M/s", "G/s"]);
const BYTES: Step[] = steps(1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
const TIMES: Step[] = [...steps(1000, ["ns", "us", "ms"]), { factor: 1e9, unit: "s" }];

function steps(base: number, units: string[]): Step[] {
  return units.map((unit, power) => ({ factor: base ** power, unit }));
}

/** Without an exponent, and without digits that claim a precision nobody measured. */
function significant(value: number): string {
  if (value >= 1000) return formatCount(value);
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

/** In the first unit that leaves fewer than 1000 of it, rounding included; beyond the last unit in that one. */
function scaled(value: number, ladder: readonly Step[]): string {
  const fits = ladder.findIndex(({ factor }) => Number((value / factor).toPrecision(4)) < 1000);
  const { factor, unit } = ladder.at(fits) ?? { factor: 1, unit: "" };
  const gap = unit.startsWith("/") ? "" : " ";
  return `${significant(value / factor)}${gap}${unit}`;
}

/** "9.413 Gbit/s" */
export function formatBitRate(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, BIT_RATES);
}

/** "123.4 k/s" */
export function formatRate(perSecond: number): string {
  return scaled(perSecond, RATES);
}

/** "1.172 GiB" */
export function formatBytes(bytes: number): string {
  return scaled(bytes, BYTES);
}

/** "12.34 us"; from a second on in seconds, however many. */
export function formatTime(ns: number): string {
  return scaled(ns, TIMES);
}

/** Seconds with a tenth, for clocks and windows: "10.0 s". */
export function formatSeconds(ns: number): string {
  return `${(ns / 1e9).toFixed(1)} s`;
}

/** "1,234,567" */
export function formatCount(count: number): string {
  return count.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** CPU cores: "1.92" */
export function formatCores(cores: number): string {
  return cores.toFixed(2);
}

/** 0.483 is "48 %" */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

/** "1.23 %", of percent; what is too small to be written so is "< 0.0001 %". */
export function formatPercent(percent: number): string {
  if (percent === 0) return "0 %";
  return percent < 0.0001 ? "< 0.0001 %" : `${percent.toPrecision(3)} %`;
}
