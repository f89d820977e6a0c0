/** When it is measured, how often, and at which rate its CPU use is stated. */
import type { Table } from "../row.js";
import { ALL, HOUR, MS, S } from "./words.js";

export const windowRows = {
  /** Seconds, or "500ms", "1m30s". */
  duration: {
    kind: "duration",
    field: "durationNs",
    flags: "-l, --duration <time>",
    default: 10 * S,
    min: MS,
    max: 168 * HOUR,
    commands: ALL,
    help: "length of the measured window",
  },
  /** Seconds, or "500ms", "1m30s". */
  warmup: {
    kind: "duration",
    field: "warmupNs",
    flags: "--warmup <time>",
    default: S,
    min: 0,
    max: HOUR,
    commands: ALL,
    help: "traffic before the window that counts for nothing",
  },
  /** Seconds, or "500ms"; 0 = no intervals. */
  interval: {
    kind: "duration",
    field: "intervalNs",
    flags: "-i, --interval <time>",
    default: 0,
    defaultText: "1s on the command line, 0 in code",
    min: 10 * MS,
    max: HOUR,
    orZero: "off",
    commands: ALL,
    help: "time between live figures, 0 for none; given on the command line, a line is printed for each",
  },
  /** Rate that CPU use is scaled to: bits (STREAM, MAERTS), transactions (RR) or connections (CRR, CC) per second; 0 = the test's own. */
  cpuAt: {
    kind: "rate",
    field: "cpuAtPerSecond",
    flags: "--cpu-at <rate>",
    default: 0,
    defaultText: "100G bits, 1M transactions or 250k connections per second",
    min: 1,
    max: 1_000_000_000_000_000,
    orZero: "default",
    commands: ALL,
    help: "rate at which normalised CPU is stated: bits, transactions or connections per second",
  },
  /** Runs of which the result is made. */
  runs: {
    kind: "count",
    field: "runs",
    flags: "--runs <n>",
    default: null,
    defaultText: "1; with --until-ci 30",
    min: 1,
    max: 1000,
    commands: ALL,
    help: "repeat the test and give means with their confidence interval; with --until-ci at most so often",
  },
  /** Percent of the mean, or "2%"; 0 = not asked for. */
  untilCi: {
    kind: "percent",
    field: "untilCiPct",
    flags: "--until-ci <percent>",
    default: 0,
    defaultText: "0 (not asked for)",
    min: 0.1,
    max: 50,
    orZero: "off",
    commands: ALL,
    help: "repeat the test, at least 3 times, until the mean's 95 % confidence interval is within this much of it, such as 2%",
  },
  /** Look for the highest figure: short probes choose what was not given. */
  best: {
    kind: "flag",
    field: "best",
    flags: "--best",
    default: false,
    commands: ALL,
    help: "look for the highest figure: short probes before the run choose engine, sizes, receive mode, congestion control and placement, as far as they were not given",
  },
} as const satisfies Table;
