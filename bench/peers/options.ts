import { parseArgs } from "node:util";
import { BUILD } from "../shared/paths.js";

export interface Options {
  quick: boolean;
  rows: RegExp;
  pairs: number;
  seconds: number;
  json: string;
  docs: boolean;
  list: boolean;
}

export class UsageError extends Error {}

export const USAGE = `usage: npm run bench:peers -- [options]

  --quick          fewer rows, 3 pairs of 1 s: under 5 minutes
  --rows REGEX     only the rows and extras whose id matches
  --pairs N        interleaved rounds per row [default: 5]
  --seconds N      whole seconds per run [default: 2]
  --json FILE      where the samples go [default: build-bench/peers.json]
  --docs           put the tables into docs/performance.md; a whole bench does so by itself
  --list           print the ids of rows and extras
  --help           print this help

Peers are found on PATH: netperf and netserver, iperf3, neper's tcp_rr, tcp_crr and tcp_stream, sockperf, qperf.
`;

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--${name}: expected a whole number above 0, got "${text}"`);
  return Number(text);
}

function pattern(text: string | undefined): RegExp {
  try {
    return new RegExp(text ?? "");
  } catch {
    throw new UsageError(`--rows: expected a regular expression, got "${text ?? ""}"`);
  }
}

/** Null where help was asked for. Throws UsageError. */
export function parseOptions(args: readonly string[]): Options | null {
  const values = parse(args);
  if (values.help === true) return null;
  const quick = values.quick === true;
  const whole = !quick && values.rows === undefined;
  return {
    quick,
    rows: pattern(values.rows),
    pairs: wholeNumber("pairs", values.pairs, quick ? 3 : 5),
    seconds: wholeNumber("seconds", values.seconds, quick ? 1 : 2),
    json: values.json ?? `${BUILD}peers.json`,
    docs: values.docs ?? whole,
    list: values.list === true,
  };
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean" } as const;
  const text = { type: "string" } as const;
  const options = {
    quick: flag,
    rows: text,
    pairs: text,
    seconds: text,
    json: text,
    docs: flag,
    list: flag,
    help: flag,
  };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
