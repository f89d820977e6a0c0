import { MAX_ADDRESSES, checkAddresses, checkCidrs, checkPortRange, parseHost, parsePortRange } from "./addresses.js";
import { MAX_CPU, checkCpus, formatCpus, parseCpuList } from "./cpu-lists.js";
import { formatDuration, parseDuration, secondsToNs } from "./durations.js";
import { parsePercent } from "./percents.js";
import { formatScaled, parseBitRate, parseRate } from "./rates.js";
import type { Row } from "./row.js";
import { formatSize, parseSize } from "./sizes.js";

/** TCP_CA_NAME_MAX of the kernel is 16, its final NUL included. */
const CONGESTION_NAME = /^[A-Za-z0-9_-]{1,15}$/;

/** IFNAMSIZ of the kernel is 16, its final NUL included. */
const CPU_GROUP = /^(numa:\d{1,4}|nic:[^/\s,]{1,15})$/;

/** The resolved value of what a caller wrote (string or natural type), or undefined where the row does not allow it. */
export function parseValue(row: Row, input: unknown): unknown {
  switch (row.kind) {
    case "count":
      return within(row, typeof input === "string" && /^\d+$/.test(input.trim()) ? Number(input) : input);
    case "size":
      if (row.auto !== undefined && (input === "auto" || input === row.auto)) return row.auto;
      return within(row, typeof input === "string" ? parseSize(input) : input);
    case "duration":
      return within(row, typeof input === "string" ? parseDuration(input) : secondsOf(input));
    case "rate":
      return within(row, typeof input === "string" ? parseRate(input) : input);
    case "bitRate":
      return within(row, typeof input === "string" ? parseBitRate(input) : input);
    case "percent":
      return inRange(row, typeof input === "string" ? parsePercent(input) : input);
    case "cpus":
      if (typeof input === "string") return CPU_GROUP.test(input) ? input : parseCpuList(input);
      return checkCpus(Array.isArray(input) ? input : [input]);
    case "choice":
      return typeof input === "string" && row.choices.includes(input) ? input : undefined;
    case "onOff":
      return typeof input === "boolean" ? input : input === "on" ? true : input === "off" ? false : undefined;
    case "flag":
      return typeof input === "boolean" ? input : undefined;
    case "congestion":
      return typeof input === "string" && CONGESTION_NAME.test(input) ? input : undefined;
    case "host":
      return input === "" ? "" : typeof input === "string" ? parseHost(input) : undefined;
    case "addresses":
      return checkList(input, checkAddresses);
    case "cidrs":
      return checkList(input, checkCidrs);
    case "portRange":
      if (typeof input === "string") return parsePortRange(input);
      return Array.isArray(input) ? checkPortRange(input) : undefined;
    case "file":
      return typeof input === "string" && input !== "" && !input.includes("\0") ? input : undefined;
  }
}

/** What a row accepts, as it follows "expected" in a message. */
export function expectedText(row: Row): string {
  switch (row.kind) {
    case "count":
      return `${zeroText(row)}a whole number from ${row.min} to ${row.max}`;
    case "size":
      return `${row.auto === undefined ? "" : "auto or "}${zeroText(row)}a whole number of bytes from ${row.min} to ${formatSize(row.max)}, K, M and G (1024) allowed`;
    case "duration":
      return `${zeroText(row)}a time from ${formatDuration(row.min)} to ${formatDuration(row.max)} such as 10s, 500ms or 1m30s`;
    case "rate":
      return `${zeroText(row)}a whole number per second from ${row.min} to ${formatScaled(row.max)} such as 1000/s, k, M and G (1000) allowed`;
    case "bitRate":
      return `${zeroText(row)}a whole number of bits per second from ${formatScaled(row.min)} to ${formatScaled(row.max)} such as 100M, k, M, G and T (1000) allowed`;
    case "percent":
      return `${zeroText(row)}a percentage from ${row.min} to ${row.max} such as 2%`;
    case "cpus":
      return `a list of distinct CPU numbers from 0 to ${MAX_CPU} such as 2-5,8, numa:N or nic:INTERFACE`;
    case "choice":
      return `one of ${row.choices.join(", ")}`;
    case "onOff":
      return "on or off";
    case "flag":
      return "true or false";
    case "congestion":
      return "a name such as cubic or bbr";
    case "host":
      return "a host name or an address";
    case "addresses":
      return `at most ${MAX_ADDRESSES} distinct numeric addresses such as 10.0.0.2,10.0.0.3`;
    case "cidrs":
      return "networks or addresses such as 10.0.0.0/8,fd00::/8";
    case "portRange":
      return "two ports from 1 to 65535, low to high, such as 20000-29999";
    case "file":
      return "the name of a file";
  }
}

/** What a row accepts, as short as a table's cell wants it. */
export function rangeText(row: Row): string {
  switch (row.kind) {
    case "count":
      return `${row.orZero !== undefined ? "0, " : ""}${row.min} to ${row.max}`;
    case "size":
      return `${row.auto === undefined ? "" : "auto, "}${row.orZero !== undefined ? "0, " : ""}${row.min} to ${formatSize(row.max)}`;
    case "duration":
      return `${row.orZero !== undefined ? "0, " : ""}${formatDuration(row.min)} to ${formatDuration(row.max)}`;
    case "rate":
    case "bitRate":
      return `${row.orZero !== undefined ? "0, " : ""}${formatScaled(row.min)} to ${formatScaled(row.max)}`;
    case "percent":
      return `${row.orZero !== undefined ? "0, " : ""}${row.min}% to ${row.max}%`;
    case "cpus":
      return `0 to ${MAX_CPU}, numa:N, nic:INTERFACE`;
    case "choice":
      return row.choices.join(", ");
    case "onOff":
      return "on, off";
    case "portRange":
      return "1 to 65535";
    default:
      return "";
  }
}

/** A resolved value as a user would write it on the command line. */
export function formatValue(row: Row, value: unknown): string {
  switch (row.kind) {
    case "size":
      return value === row.auto ? "auto" : formatSize(Number(value));
    case "duration":
      return formatDuration(Number(value));
    case "rate":
      return `${formatScaled(Number(value))}/s`;
    case "bitRate":
      return formatScaled(Number(value));
    case "percent":
      return `${String(value)}%`;
    case "onOff":
      return value === true ? "on" : "off";
    case "cpus":
      return formatCpus(value as number[] | string);
    case "addresses":
    case "cidrs":
      return (value as string[]).join(",");
    case "portRange":
      return (value as number[]).join("-");
    default:
      return String(value);
  }
}

/** A resolved value in a report: what stands for an option that was not given reads as what it means. */
export function describeResolved(row: Row, value: unknown): string {
  if (value === null) return "auto";
  if (value === "" || (Array.isArray(value) && value.length === 0)) return "default";
  if (value === 0 && "orZero" in row) return row.orZero;
  if (row.kind === "flag") return value === true ? "on" : "off";
  return formatValue(row, value);
}

export function defaultText(row: Row): string {
  return row.defaultText ?? formatValue(row, row.default);
}

function within(row: { min: number; max: number; orZero?: string }, value: unknown): number | undefined {
  return Number.isInteger(value) ? inRange(row, value) : undefined;
}

function inRange(row: { min: number; max: number; orZero?: string }, value: unknown): number | undefined {
  if (typeof value !== "number") return undefined;
  if (value === 0 && row.orZero !== undefined) return 0;
  return value >= row.min && value <= row.max ? value : undefined;
}

function zeroText(row: { orZero?: string }): string {
  return row.orZero !== undefined ? "0 or " : "";
}

function secondsOf(input: unknown): number | undefined {
  return typeof input === "number" ? secondsToNs(input) : undefined;
}

/** A comma-separated string or an array of strings, through a check; an empty array stands for "not restricted". */
function checkList(input: unknown, check: (list: readonly string[]) => string[] | undefined): string[] | undefined {
  const list: unknown[] | undefined =
    typeof input === "string" ? input.split(",") : Array.isArray(input) ? input : undefined;
  if (list === undefined || !list.every((entry) => typeof entry === "string")) return undefined;
  return list.length === 0 ? [] : check(list);
}
