/** Units of results (`-f`). */

const BYTE_UNITS: Readonly<Record<string, { name: string; bytes: number }>> = {
  G: { name: "GBytes", bytes: 1024 ** 3 },
  M: { name: "MBytes", bytes: 1024 ** 2 },
  K: { name: "KBytes", bytes: 1024 },
  B: { name: "Bytes", bytes: 1 },
  g: { name: "10^9bits", bytes: 1e9 / 8 },
  m: { name: "10^6bits", bytes: 1e6 / 8 },
  k: { name: "10^3bits", bytes: 1e3 / 8 },
  // Bytes under the name of bits: netperf's slip, and scripts know it.
  b: { name: "10^0bits", bytes: 1 },
};
const FALLBACK = { name: "KBytes", bytes: 1024 };

/** "10^6bits"; without "/s". */
export function unitName(unit: string): string {
  if (unit === "x") return "Trans";
  if (unit === "u") return "Usec";
  return (BYTE_UNITS[unit] ?? FALLBACK).name;
}

/** A rate in bytes per second, in that unit. */
export function inUnit(bytesPerSecond: number, unit: string): number {
  if (unit === "u") return bytesPerSecond === 0 ? 0 : 1e6 / bytesPerSecond;
  return bytesPerSecond / (BYTE_UNITS[unit] ?? FALLBACK).bytes;
}
