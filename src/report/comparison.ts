/** A comparison as plain text for a terminal: a table per pair, then what was left out and what to bear in mind. */
import { describeResolved } from "../options/kinds.js";
import { TESTS } from "../options/names.js";
import type { Row } from "../options/row.js";
import { runTable } from "../options/table.js";
import type { Comparison, MetricComparison, PairComparison } from "../result/model.js";
import { formatFlows } from "./describe.js";
import { alignPairs, alignRows, known, printable, wrap } from "./layout.js";
import { formatRuns } from "./repeat.js";
import { formatBitRate, formatCount, formatRate, formatTime } from "./units.js";
import { nameOption } from "./variants.js";

const WIDTH = 100;

type Key = Comparison["unpaired"]["base"][number];
type Changed = PairComparison["changed"][number];

const CPU_NAMES = { nsPerTransaction: "CPU/transaction", nsPerKiB: "CPU/KiB" };

/** Ends with a newline. `names` are those of the two files. */
export function renderComparison(comparison: Comparison, names: { base: string; new: string }): string {
  const blocks = [
    alignPairs([
      ["base", printable(names.base)],
      ["new", printable(names.new)],
    ]),
    ...comparison.pairs.map((pair) => pairLines(pair, comparison)),
    leftOut(comparison),
    remarks(comparison).flatMap((remark) => wrap(remark, WIDTH, "")),
    outcome(comparison),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

/** "rr, 32 flows, --request 64" */
export function describeKey({ test, flows, options = {} }: Key): string {
  const told = Object.entries(options).map(([field, value]) => describeOption(field, value));
  return [TESTS[test], formatFlows(flows), ...told].join(", ");
}

function pairLines(pair: PairComparison, { confidence }: Comparison): string[] {
  const head = ["", "base", "new", "difference", `${formatConfidence(confidence)} interval`, "verdict"];
  const rows = pair.metrics.map((metric) => [
    metricName(metric),
    formatMetric(metric, metric.base),
    formatMetric(metric, metric.new),
    formatDifference(metric.differencePct),
    known(metric.interval, formatInterval),
  ]);
  // Words read better from the left: the last column is put behind the others.
  const [top = "", ...lines] = alignRows(head.slice(0, -1), rows);
  const width = Math.max(top.length, ...lines.map((line) => line.length));
  const verdicts = [head.at(-1) as string, ...pair.metrics.map(verdictText)];
  return [
    `${describeKey(pair)}: ${formatRuns(pair.runs.base)} against ${formatRuns(pair.runs.new)}`,
    ...about(pair).flatMap((line) => wrap(line, WIDTH, "  ")),
    ...[top, ...lines].map((line, index) => `  ${line.padEnd(width)}  ${verdicts[index] ?? ""}`.trimEnd()),
  ];
}

function about({ changed, warnings }: PairComparison): string[] {
  const lines: string[] = [];
  if (changed.length > 0) lines.push(`also different: ${changed.map(describeChange).join("; ")}`);
  for (const side of ["base", "new"] as const) {
    if (warnings[side].length > 0) lines.push(`warnings of ${side}: ${warnings[side].map(printable).join(" ")}`);
  }
  return lines;
}

function metricName({ metric, unit }: MetricComparison): string {
  switch (metric) {
    case "throughput":
    case "transactions":
      return metric;
    case "latencyP50":
      return "p50";
    case "latencyP99":
      return "p99";
    case "clientCpu":
    case "serverCpu": {
      const name = unit === "nsPerTransaction" || unit === "nsPerKiB" ? CPU_NAMES[unit] : "CPU";
      return `${metric === "clientCpu" ? "client" : "server"} ${name}`;
    }
  }
}

function formatMetric({ unit }: MetricComparison, value: number): string {
  if (unit === "bitsPerSecond") return formatBitRate(value);
  return unit === "perSecond" ? formatRate(value) : formatTime(value);
}

function verdictText({ metric, verdict, furtherRuns, interval, regression }: MetricComparison): string {
  const cpu = metric === "clientCpu" || metric === "serverCpu";
  const extent = interval?.method === "bootstrap" ? ", as far as one run each tells" : "";
  const mark = regression === true ? " (REGRESSION)" : "";
  switch (verdict) {
    case "better":
      return (cpu ? "less CPU" : "faster") + extent;
    case "worse":
      return (cpu ? "more CPU" : "slower") + extent + mark;
    case "noDifferenceShown":
      return `no difference shown${extent}`;
    case "tooNoisy":
      return `too noisy to tell${remedy(furtherRuns, interval)}`;
    case "notRepeated":
      return "one run on a side: cannot tell";
  }
}

function remedy(furtherRuns: number | undefined, interval: MetricComparison["interval"]): string {
  if (furtherRuns !== undefined)
    return `; ${formatCount(furtherRuns)} more ${furtherRuns === 1 ? "run" : "runs"} each would do`;
  return interval?.method === "bootstrap" ? "; longer or more runs would do" : "; more runs alone would not do";
}

/** "+3.2 %", "-0.04 %" */
function formatDifference(percent: number, digits = digitsOf(percent)): string {
  const text = Math.abs(percent).toFixed(digits);
  return `${percent < 0 ? "-" : "+"}${text.replace(/^\d+/, (whole) => formatCount(Number(whole)))} %`;
}

/** Both ends to the same digit, which is that of the farther one: "-0.5 % to +5.2 %" */
function formatInterval({ lowPct, highPct }: NonNullable<MetricComparison["interval"]>): string {
  const digits = Math.min(digitsOf(lowPct), digitsOf(highPct));
  return `${formatDifference(lowPct, digits)} to ${formatDifference(highPct, digits)}`;
}

function digitsOf(percent: number): number {
  const size = Math.abs(percent);
  return size < 0.995 ? 2 : size < 99.95 ? 1 : 0;
}

function formatConfidence(confidence: number): string {
  return `${Number((confidence * 100).toFixed(2))} %`;
}

function describeOption(field: string, value: unknown): string {
  const row = Object.values<Row>(runTable).find((one) => one.field === field);
  const text = row === undefined ? textOf(value) : describeResolved(row, value);
  return `${row === undefined ? field : nameOption(row, field)} ${printable(text)}`;
}

/** "--engine epoll, was block"; "host.remote.mtuBytes 9000, was 1500" */
function describeChange({ path, base, new: next }: Changed): string {
  const [, field] = /^spec\.(.+)$/.exec(path) ?? [];
  if (field === undefined) return `${path} ${shown(next)}, was ${shown(base)}`;
  return `${describeOption(field, next)}, was ${describeOption(field, base).replace(/^\S+ /, "")}`;
}

function shown(value: unknown): string {
  return value === undefined ? "unknown" : printable(textOf(value));
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return Number.isInteger(value) ? formatCount(value as number) : JSON.stringify(value);
}

function leftOut({ unpaired, unusable }: Comparison): string[] {
  return (["base", "new"] as const).flatMap((side) => [
    ...unpaired[side].map((key) => `only in ${side}: ${describeKey(key)}`),
    ...(unusable[side] === 0 ? [] : [`left out of ${side}: ${formatCount(unusable[side])} without a completed run`]),
  ]);
}

function remarks({ pairs }: Comparison): string[] {
  if (pairs.every(({ runs }) => runs.base > 1 && runs.new > 1)) return [];
  return [
    "A single run cannot tell how far another one would have been from it. To judge rates and CPU, repeat both sides " +
      "(--runs 5); percentiles of single runs are judged by their own transactions alone.",
  ];
}

/** What became of the regression that was asked for, in a line. */
export function renderOutcome(comparison: Comparison): string {
  return outcome(comparison)
    .map((line) => `${line}\n`)
    .join("");
}

function outcome({ failOnRegressionPct, regressions, pairs }: Comparison): string[] {
  if (failOnRegressionPct === undefined) return [];
  const metrics = pairs.flatMap((pair) => pair.metrics);
  const open = metrics.filter(({ verdict }) => verdict === "tooNoisy" || verdict === "notRepeated").length;
  const size = `${failOnRegressionPct} % or more`;
  const told = regressions === 0 ? `no regression of ${size} is shown` : `regressions of ${size}: ${regressions}`;
  return [`${told}${open === 0 ? "" : `; ${open} of ${metrics.length} metrics could not be judged`}`];
}
