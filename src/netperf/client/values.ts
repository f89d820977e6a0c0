/** netperf's notation of values. */
import { parseDuration } from "../../options/durations.js";

const SUFFIXES: Readonly<Record<string, number>> = {
  ...{ K: 1024, M: 1024 ** 2, G: 1024 ** 3 },
  ...{ k: 1e3, m: 1e6, g: 1e9 },
};

/** A leading integer (else 0) times the K, M, G (powers of 1024) or k, m, g (powers of 1000) that follow somewhere. */
export function number(text: string): number {
  const value = Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
  const suffix = /[KMGkmg]/.exec(text)?.[0];
  return suffix === undefined ? value : value * (SUFFIXES[suffix] ?? 1);
}

/** Both values of "X" (both), "X," (first), ",Y" (second) or "X,Y"; undefined where one is not given. */
export function both(text: string): [string | undefined, string | undefined] {
  if (!text.includes(",")) return [text, text];
  return explicit(text);
}

/** As {@link both}, but "X" alone sets the first only. */
export function explicit(text: string): [string | undefined, string | undefined] {
  const comma = text.indexOf(",");
  const first = comma < 0 ? text : text.slice(0, comma);
  const second = comma < 0 ? "" : text.slice(comma + 1);
  return [first === "" ? undefined : first, second === "" ? undefined : second];
}

export type Family = "any" | "ipv4" | "ipv6";

export function family(text: string): Family {
  const word = text.toLowerCase();
  if (word.includes("6")) return "ipv6";
  return word.includes("inet") || word.includes("4") ? "ipv4" : "any";
}

/** `-l`: seconds, or a count of transactions or bytes. */
export interface TestLength {
  /** 0 = not timed. */
  seconds: number;
  /** 0 = not counted. */
  limit: number;
}

/**
 * A positive length is a time: Go's notation ("1m30s", "500ms") means what it says, where netperf takes "1m" for a million seconds.
 * Everything else is netperf's: -N is a count, with its suffixes.
 */
export function testLength(text: string): TestLength {
  const ns = /[a-zµμ]/.test(text) ? parseDuration(text) : undefined;
  if (ns !== undefined) return { seconds: ns / 1e9, limit: 0 };
  const value = number(text);
  return { seconds: Math.max(0, value), limit: Math.max(0, -value) };
}

const NAMED_TOS: Readonly<Record<string, number>> = { lowdelay: 0x10, throughput: 0x08, reliability: 0x04, ef: 0xb8 };

/** A type of service: a name (af11 to af43, cs0 to cs7, ef, ...) or a number, 0x.. and 0.. as in C; undefined where it is neither. */
export function tos(text: string): number | undefined {
  const word = text.toLowerCase();
  const named = NAMED_TOS[word];
  if (named !== undefined) return named;
  const [, selector] = /^cs([0-7])$/.exec(word) ?? [];
  if (selector !== undefined) return Number(selector) << 5;
  const [, level, drop] = /^af([1-4])([1-3])$/.exec(word) ?? [];
  if (level !== undefined) return (Number(level) << 5) | (Number(drop) << 3);
  const value = /^0[0-7]+$/.test(word) ? Number.parseInt(word, 8) : /^(0x[\da-f]+|\d+)$/.test(word) ? Number(word) : -1;
  return value >= 0 && value <= 255 ? value : undefined;
}

/** -w: an integer of milliseconds, or with a suffix m, u or s. */
export function microseconds(text: string): number {
  const value = Number.parseInt(text, 10) || 0;
  if (text.endsWith("u")) return value;
  return value * (text.endsWith("s") ? 1_000_000 : 1000);
}
