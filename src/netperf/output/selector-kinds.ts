/** What the rows of the selector table are made of. */
import type { CpuFigures } from "../cpu-figures.js";
import type { Figures } from "../client/figures.js";
import type { Family } from "../client/values.js";
import { CPU_METHODS } from "../wire/omni.js";

type Value = number | string | undefined;
export type Format = (value: Value) => string;
/** Selector, heading, how its value is written, and its value; undefined = there is none. */
export type Row = readonly [name: string, heading: string, format: Format, value: (figures: Figures) => Value];

export function row(...parts: Row): Row {
  return parts;
}

export const text: Format = (value) => String(value ?? "");
export const quoted: Format = (value) => (value === undefined ? "" : `"${value}"`);
export const integer: Format = (value) => String(Math.trunc(Number(value)));
export const fixed0: Format = (value) => Number(value).toFixed(0);
export const fixed2: Format = (value) => Number(value).toFixed(2);
export const fixed3: Format = (value) => Number(value).toFixed(3);
export const fixed6: Format = (value) => Number(value).toFixed(6);
/** 32 bits, as C prints a negative number. */
const hex =
  (digits: number): Format =>
  (value) =>
    `0x${(Number(value) >>> 0).toString(16).padStart(digits, "0")}`;
export const hex2 = hex(2);
export const hex4 = hex(4);

/** AF_UNSPEC, AF_INET and AF_INET6 of Linux. */
export const FAMILIES: Readonly<Record<Family, number>> = { any: 0, ipv4: 2, ipv6: 10 };

export const deprecated = (): string => "Deprecated";

export function cpuLetter(cpu: CpuFigures | undefined): string {
  return CPU_METHODS[cpu?.cpuMethod ?? 0] ?? "?";
}

export function mean(total: number, count: number): number {
  return count === 0 ? 0 : total / count;
}

/** Whole microseconds; -1 where nothing was timed. */
export function us(ns: number | undefined): number {
  return ns === undefined ? -1 : ns / 1000;
}
