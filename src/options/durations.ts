const UNITS_NS = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const PART = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
const BARE = /^\d+(?:\.\d+)?$/;

/** Nanoseconds of "500ms", "1.5s", "1m30s" (Go's notation) or of a bare number of seconds; undefined where it is none of these. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (BARE.test(trimmed)) return secondsToNs(Number(trimmed));
  if (trimmed === "") return undefined;
  let ns = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < trimmed.length) {
    const match = PART.exec(trimmed);
    if (match === null) return undefined;
    ns += Math.round(Number(match[1]) * UNITS_NS[match[2] as keyof typeof UNITS_NS]);
  }
  return Number.isSafeInteger(ns) ? ns : undefined;
}

/** Nanoseconds of a number of seconds, or undefined where that is negative or beyond what a double holds exactly. */
export function secondsToNs(seconds: number): number | undefined {
  const ns = Math.round(seconds * 1e9);
  return seconds >= 0 && Number.isSafeInteger(ns) ? ns : undefined;
}

/** Go's notation, exact, read back by {@link parseDuration}: 90 s is "1m30s", half a second is "500ms". */
export function formatDuration(ns: number): string {
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${ns / 1e3}us`;
  if (ns < 1e9) return `${ns / 1e6}ms`;
  const hours = Math.floor(ns / UNITS_NS.h);
  const minutes = Math.floor((ns % UNITS_NS.h) / UNITS_NS.m);
  const restNs = ns % UNITS_NS.m;
  return (hours > 0 ? `${hours}h` : "") + (minutes > 0 ? `${minutes}m` : "") + (restNs > 0 ? `${restNs / 1e9}s` : "");
}
