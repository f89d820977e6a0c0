/** From samples to tables: pure functions. */
import {
  formatMegabytes,
  formatQuantity,
  formatRatio,
  markdownTable,
  significant,
  textTable,
} from "../shared/format.js";
import { isBulk } from "./contenders/parse.js";
import type { Row, RowResult, Sample } from "./model.js";
import { type Summary, compare, median, summarize } from "./stats.js";

/** One figure beside the rows: what, of whom, how much. */
export interface Fact {
  what: string;
  who: string;
  summary: Summary;
  unit: "ms" | "bytes" | "count" | "per second" | "ratio";
}

export interface Extra {
  id: string;
  title: string;
  facts: Fact[];
  faults: string[];
}

/** One contender's runs of a row against our own. */
export interface Line {
  row: Row;
  peer: string;
  ours: Summary | undefined;
  theirs: Summary | undefined;
  comparison: ReturnType<typeof compare>;
  /** CPU time of both ends per transaction or byte: ours divided by theirs. */
  cpuRatio: number | undefined;
  /** Peak memory of both ends, bytes. */
  memory: { ours: number | undefined; theirs: number | undefined };
}

type Series = readonly (Sample | null)[];

function rates(series: Series): (number | undefined)[] {
  return series.map((sample) => sample?.rate);
}

function present(series: Series): Sample[] {
  return series.filter((sample) => sample !== null);
}

function cpuPerUnit(series: Series): number {
  return median(present(series).map(({ busyCores, rate }) => (busyCores.client + busyCores.server) / rate));
}

function memoryOf(series: Series): number | undefined {
  return summarize(present(series).map(({ peakBytes }) => peakBytes.client + peakBytes.server))?.median;
}

/** One line per peer; a row without peers, or whose peers are missing here, still shows cnb-load. */
export function linesOf({ row, samples }: RowResult): Line[] {
  const ours = samples[row.own] ?? [];
  const peers = Object.keys(samples).filter((name) => name !== row.own);
  return (peers.length === 0 ? [""] : peers).map((peer) => {
    const theirs = samples[peer] ?? [];
    const cpuRatio = cpuPerUnit(ours) / cpuPerUnit(theirs);
    return {
      row,
      peer,
      ours: summarize(present(ours).map(({ rate }) => rate)),
      theirs: summarize(present(theirs).map(({ rate }) => rate)),
      comparison: compare(rates(ours), rates(theirs)),
      cpuRatio: Number.isFinite(cpuRatio) ? cpuRatio : undefined,
      memory: { ours: memoryOf(ours), theirs: memoryOf(theirs) },
    };
  });
}

const HEAD = ["cnb-load", "peer", "its figure", "ratio", "pair by pair", "CPU per unit", "memory"];

function cells({ row, peer, ours, theirs, comparison, cpuRatio, memory }: Line): string[] {
  const unit = isBulk(row.workload) ? "bit/s" : "/s";
  const { ours: our, theirs: their } = memory;
  return [
    spread(ours, unit),
    peer === "" ? "none here" : peer,
    peer === "" ? "" : spread(theirs, unit),
    comparison === undefined ? "" : formatRatio(comparison.ofMedians),
    comparison === undefined
      ? ""
      : `${formatRatio(comparison.pairwise.median)} (${formatRatio(comparison.pairwise.min)}..${formatRatio(comparison.pairwise.max)})`,
    cpuRatio === undefined ? "" : formatRatio(cpuRatio),
    [our, their].map((bytes) => (bytes === undefined ? "-" : formatMegabytes(bytes))).join(" / "),
  ];
}

/** "52.1 k/s (50.0..53.3)" */
function spread(summary: Summary | undefined, unit: string): string {
  if (summary === undefined) return "failed";
  const { median: middle, min, max } = summary;
  const text = formatQuantity(middle, unit);
  const scale = middle / Number(text.split(" ")[0]);
  return summary.count === 1 ? text : `${text} (${significant(min / scale)}..${significant(max / scale)})`;
}

/** With one more column before them. */
const NUMERIC = [1, 3, 4, 5, 6, 7];

export function rowsAsText(results: readonly RowResult[]): string {
  const rows = results.flatMap((result) => linesOf(result).map((line) => [result.row.id, ...cells(line)]));
  return textTable(["row", ...HEAD], rows, NUMERIC);
}

export function rowsAsMarkdown(results: readonly RowResult[]): string {
  const rows = results.flatMap((result) => {
    const { title, where, pinning } = result.row;
    return linesOf(result).map((line) => [title, where, pinning, ...cells(line)]);
  });
  return markdownTable(
    ["row", "where", "CPUs", ...HEAD],
    rows,
    NUMERIC.map((column) => column + 2),
  );
}

const UNITS: Readonly<Record<Fact["unit"], (value: number) => string>> = {
  ms: (value) => `${significant(value)} ms`,
  bytes: formatMegabytes,
  count: significant,
  "per second": (value) => formatQuantity(value, "/s"),
  ratio: (value) => value.toFixed(3),
};

function factCells({ what, who, summary, unit }: Fact): string[] {
  const format = UNITS[unit];
  const { count, min, max } = summary;
  return [what, who, format(summary.median), count === 1 ? "" : `${format(min)} .. ${format(max)}`];
}

const FACT_HEAD = ["what", "of", "median", "spread"];
const FACT_NUMERIC = [2, 3];

export function extraAsText({ title, facts }: Extra): string {
  return `${title}\n${textTable(FACT_HEAD, facts.map(factCells), FACT_NUMERIC)}`;
}

export function extraAsMarkdown({ title, facts }: Extra): string {
  return `### ${title}\n\n${markdownTable(FACT_HEAD, facts.map(factCells), FACT_NUMERIC)}`;
}

export const START_MARK = "<!-- bench:peers -->";
export const END_MARK = "<!-- /bench:peers -->";

/** Puts `body` between the markers; throws where they are not there. */
export function replaceBetweenMarks(text: string, body: string): string {
  const start = text.indexOf(START_MARK);
  const end = text.indexOf(END_MARK);
  if (start < 0 || end < start) throw new Error(`expected the markers ${START_MARK} and ${END_MARK}, in this order`);
  return `${text.slice(0, start + START_MARK.length)}\n\n${body}\n\n${text.slice(end)}`;
}
