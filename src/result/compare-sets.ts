/** The comparison itself, metric by metric. docs/comparing.md gives the method and what each verdict means. */
import { CnbLoadError } from "../errors.js";
import { invalidOption } from "../options/spec.js";
import { bootstrapRatio } from "./bootstrap.js";
import { compact } from "./compact.js";
import { changesBetween, type Group, groupResults, isSameKey, isUsable, warningCodes } from "./compare-pairs.js";
import { decodeHdr } from "./hdr-decode.js";
import type { Comparison, LatencySummary, MetricComparison, PairComparison, Result } from "./model.js";
import type { RawHistogram } from "./raw.js";
import { type RunSummary, summarizeRun } from "./repeat.js";
import {
  type Bounds,
  CONFIDENCE,
  furtherRunsOfEach,
  loadStudentT,
  ratioInterval,
  type Sample,
  sampleOf,
  type StudentT,
  welchDegrees,
} from "./statistics.js";

/** An interval that holds 0 and reaches further than this, percent, says nothing; unless a regression of another size is looked for. */
const DEFAULT_RESOLUTION_PCT = 5;
/** Beyond, the ends of a bootstrap interval rest on a handful of its 4000 values. */
const [LEAST_CONFIDENCE, MOST_CONFIDENCE] = [0.5, 0.99];

export interface CompareOptions {
  /** Confidence level of every interval, 0.5 to 0.99; 0.95 by default. */
  confidence?: number | undefined;
  /** Marks metrics that are shown to be worse by at least this many percent; becomes the resolution as well. */
  failOnRegressionPct?: number | undefined;
}

interface Metric extends Pick<MetricComparison, "metric" | "unit" | "direction"> {
  of: (run: RunSummary) => number | undefined;
  /** Of the latency histogram. */
  percentile?: number;
}

const higher = { direction: "higherIsBetter" } as const;
const lower = { direction: "lowerIsBetter" } as const;

const METRICS: readonly Metric[] = [
  { metric: "throughput", unit: "bitsPerSecond", ...higher, of: (run) => run.bitsPerSecond },
  { metric: "transactions", unit: "perSecond", ...higher, of: (run) => run.perSecond },
  { metric: "latencyP50", unit: "ns", ...lower, of: ({ latency }) => latency?.p50Ns, percentile: 50 },
  { metric: "latencyP99", unit: "ns", ...lower, of: ({ latency }) => latency?.p99Ns, percentile: 99 },
  { metric: "clientCpu", unit: "nsPerTransaction", ...lower, of: ({ cpu }) => cpu.local?.nsPerTransaction },
  { metric: "serverCpu", unit: "nsPerTransaction", ...lower, of: ({ cpu }) => cpu.remote?.nsPerTransaction },
  { metric: "clientCpu", unit: "nsPerKiB", ...lower, of: ({ cpu }) => cpu.local?.nsPerKiB },
  { metric: "serverCpu", unit: "nsPerKiB", ...lower, of: ({ cpu }) => cpu.remote?.nsPerKiB },
];

type Interval = NonNullable<MetricComparison["interval"]>;

/** One side of a pair. */
interface Side {
  name: "base" | "new";
  runs: RunSummary[];
  /** Of its only run; undefined where there are more. */
  latency: LatencySummary | undefined;
}

interface Judge {
  student: StudentT;
  confidence: number;
  resolutionPct: number;
  failOnRegressionPct: number | undefined;
}

function sideOf(name: Side["name"], { results }: Group): Side {
  const runs = results.flatMap((result) =>
    result.runs !== undefined && result.runs.length > 0 ? result.runs : [summarizeRun(result)],
  );
  return { name, runs, latency: runs.length === 1 ? results[0].latency : undefined };
}

/** The metric of every run; undefined where one lacks it. */
function sampleOfMetric({ of }: Metric, { runs }: Side): Sample | undefined {
  const values = runs.map(of).filter((value) => value !== undefined);
  return values.length === runs.length ? sampleOf(values) : undefined;
}

const percentOf = ({ low, high }: Bounds): Pick<Interval, "lowPct" | "highPct"> => ({
  lowPct: (low - 1) * 100,
  highPct: (high - 1) * 100,
});

/** Over the runs of both sides; undefined where one has a single run, or the base could as well be 0. */
function overRuns(base: Sample, next: Sample, { student, confidence }: Judge): Interval | undefined {
  const bounds = ratioInterval(base, next, student, confidence);
  return bounds && { ...percentOf(bounds), method: "welch", degreesOfFreedom: welchDegrees(base, next) };
}

/** Within one run of each side: how well their histograms alone tell the quantile. */
async function withinRuns(
  metric: Metric,
  base: Side,
  next: Side,
  { confidence }: Judge,
): Promise<Interval | undefined> {
  if (metric.percentile === undefined || base.latency === undefined || next.latency === undefined) return undefined;
  const [before, after] = [await histogramOf(base.name, base.latency), await histogramOf(next.name, next.latency)];
  const bounds = bootstrapRatio(before, after, metric.percentile, confidence);
  return bounds && { ...percentOf(bounds), method: "bootstrap" };
}

async function histogramOf(side: Side["name"], latency: LatencySummary): Promise<RawHistogram> {
  try {
    return await decodeHdr(latency);
  } catch (cause) {
    const expected = "expected an HdrHistogram as cnb-load writes it (V2, compressed, base64)";
    throw new CnbLoadError("ERR_INVALID_OPTION", `${side}: latency.hdr: ${expected}`, { cause });
  }
}

function verdictOf({ direction }: Metric, { lowPct, highPct }: Interval, resolutionPct: number) {
  const [rise, fall] = direction === "higherIsBetter" ? (["better", "worse"] as const) : (["worse", "better"] as const);
  if (lowPct > 0) return rise;
  if (highPct < 0) return fall;
  return (highPct - lowPct) / 2 <= resolutionPct ? "noDifferenceShown" : "tooNoisy";
}

/** By how much it is worse at least, percent, if the interval is right; negative where it may be better. */
function leastLossPct({ direction }: Metric, { lowPct, highPct }: Interval): number {
  return direction === "higherIsBetter" ? -highPct : lowPct;
}

async function compareMetric(
  metric: Metric,
  base: Side,
  next: Side,
  judge: Judge,
): Promise<MetricComparison | undefined> {
  const before = sampleOfMetric(metric, base);
  const after = sampleOfMetric(metric, next);
  // Nothing is a percentage of 0.
  if (before === undefined || after === undefined || before.mean <= 0) return undefined;
  const { resolutionPct, failOnRegressionPct, student, confidence } = judge;
  const repeated = before.runs > 1 && after.runs > 1;
  const interval = repeated ? overRuns(before, after, judge) : await withinRuns(metric, base, next, judge);
  const unjudged = repeated ? "tooNoisy" : "notRepeated";
  const verdict = interval === undefined ? unjudged : verdictOf(metric, interval, resolutionPct);
  // Narrow enough for the resolution, or for the difference to be shown, if that and the spread stay what they are.
  const wanted = Math.max((before.mean * resolutionPct) / 100, Math.abs(after.mean - before.mean));
  return compact({
    metric: metric.metric,
    unit: metric.unit,
    direction: metric.direction,
    base: before.mean,
    new: after.mean,
    differencePct: ((after.mean - before.mean) / before.mean) * 100,
    interval,
    verdict,
    furtherRuns:
      repeated && verdict === "tooNoisy" ? furtherRunsOfEach(before, after, wanted, student, confidence) : undefined,
    regression:
      failOnRegressionPct === undefined
        ? undefined
        : interval !== undefined && verdict === "worse" && leastLossPct(metric, interval) >= failOnRegressionPct,
  });
}

async function comparePair(base: Group, next: Group, judge: Judge): Promise<PairComparison> {
  const [before, after] = [sideOf("base", base), sideOf("new", next)];
  const metrics: MetricComparison[] = [];
  for (const metric of METRICS) {
    const compared = await compareMetric(metric, before, after, judge);
    if (compared !== undefined) metrics.push(compared);
  }
  return {
    ...base.key,
    runs: { base: before.runs.length, new: after.runs.length },
    changed: changesBetween(base, next),
    warnings: { base: warningCodes(base), new: warningCodes(next) },
    metrics,
  };
}

async function makeJudge({ confidence = CONFIDENCE, failOnRegressionPct }: CompareOptions): Promise<Judge> {
  if (!(confidence >= LEAST_CONFIDENCE && confidence <= MOST_CONFIDENCE)) {
    throw invalidOption("confidence", `a number from ${LEAST_CONFIDENCE} to ${MOST_CONFIDENCE}`, confidence);
  }
  if (failOnRegressionPct !== undefined && !(failOnRegressionPct >= 0 && failOnRegressionPct <= 100)) {
    throw invalidOption("failOnRegressionPct", "a number from 0 to 100", failOnRegressionPct);
  }
  // Of 0 % no interval is narrow enough.
  const wanted = failOnRegressionPct ?? 0;
  const resolutionPct = wanted === 0 ? DEFAULT_RESOLUTION_PCT : wanted;
  return { student: await loadStudentT(), confidence, resolutionPct, failOnRegressionPct };
}

/** The comparison of `compare.ts`. */
export async function compareSets(
  allBefore: readonly Result[],
  allAfter: readonly Result[],
  options: CompareOptions,
): Promise<Comparison> {
  const judge = await makeJudge(options);
  const [before, after] = [allBefore.filter(isUsable), allAfter.filter(isUsable)];
  const [baseGroups, nextGroups] = [groupResults(before, after), groupResults(after, before)];
  const pairs: PairComparison[] = [];
  for (const group of baseGroups) {
    const partner = nextGroups.find(({ key }) => isSameKey(key, group.key));
    if (partner !== undefined) pairs.push(await comparePair(group, partner, judge));
  }
  const alone = (groups: readonly Group[], others: readonly Group[]) =>
    groups.map(({ key }) => key).filter((key) => !others.some((other) => isSameKey(key, other.key)));
  return compact({
    schema: "cnb-load/comparison/1",
    confidence: judge.confidence,
    resolutionPct: judge.resolutionPct,
    failOnRegressionPct: judge.failOnRegressionPct,
    pairs,
    unpaired: { base: alone(baseGroups, nextGroups), new: alone(nextGroups, baseGroups) },
    unusable: { base: allBefore.length - before.length, new: allAfter.length - after.length },
    regressions: pairs.flatMap(({ metrics }) => metrics).filter(({ regression }) => regression === true).length,
  });
}
