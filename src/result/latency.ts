/** Latency summaries from raw histograms. */
import { encodeHdr } from "./hdr-encode.js";
import { bucketHigh, bucketLow, bucketWidth } from "./hdr-layout.js";
import type { IntervalLatency, LatencyKind, LatencySummary } from "./model.js";
import type { RawHistogram } from "./raw.js";

export function totalCount({ counts }: RawHistogram): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0;
  return total;
}

/**
 * Values at the given percentiles (ascending), as HdrHistogram's getValueAtPercentile() has it: the upper end of the bucket in which the
 * percentile falls; but never beyond the exact maximum.
 */
export function percentiles(histogram: RawHistogram, total: number, wanted: readonly number[]): number[] {
  const values: number[] = [];
  let seen = 0;
  let index = -1;
  for (const percentile of wanted) {
    const exact = (percentile / 100) * total;
    // A product that rounding left just above a whole number must not reach for one value more.
    const needed = Math.max(1, Math.ceil(exact - exact * Number.EPSILON));
    while (seen < needed && index + 1 < histogram.counts.length) seen += histogram.counts[++index] ?? 0;
    values.push(Math.min(bucketHigh(histogram.first + index), histogram.maxNs));
  }
  return values;
}

function standardDeviation({ first, counts }: RawHistogram, total: number, mean: number): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) continue;
    const middle = bucketLow(first + i) + Math.floor(bucketWidth(first + i) / 2);
    sum += count * (middle - mean) ** 2;
  }
  return Math.sqrt(sum / total);
}

/** Figures of a histogram without the histogram itself; undefined when nothing was recorded. */
export function latencyFigures(kind: LatencyKind, histogram: RawHistogram | undefined): IntervalLatency | undefined {
  if (histogram === undefined) return undefined;
  const count = totalCount(histogram);
  if (count === 0) return undefined;
  const meanNs = histogram.sumNs / count;
  const [p50Ns = 0, p90Ns = 0, p95Ns = 0, p99Ns = 0, p99_9Ns = 0, p99_99Ns = 0] = percentiles(
    histogram,
    count,
    [50, 90, 95, 99, 99.9, 99.99],
  );
  return {
    kind,
    count,
    minNs: histogram.minNs,
    meanNs,
    stddevNs: standardDeviation(histogram, count, meanNs),
    p50Ns,
    p90Ns,
    p95Ns,
    p99Ns,
    p99_9Ns,
    p99_99Ns,
    maxNs: histogram.maxNs,
  };
}

/** Figures and the encoded histogram; undefined when nothing was recorded. */
export function latencySummary(kind: LatencyKind, histogram: RawHistogram | undefined): LatencySummary | undefined {
  const figures = latencyFigures(kind, histogram);
  return figures && histogram && { ...figures, hdr: encodeHdr(histogram) };
}

/**
 * What was recorded between two snapshots of one growing histogram. Minimum and maximum are those of the outermost buckets, within
 * the exact ones of the whole.
 */
export function histogramBetween(from: RawHistogram | undefined, to: RawHistogram): RawHistogram {
  const counts = new Float64Array(to.counts.length);
  let lowest = -1;
  let highest = -1;
  for (let i = 0; i < counts.length; i++) {
    const before = from?.counts[to.first + i - from.first] ?? 0;
    const count = Math.max(0, (to.counts[i] ?? 0) - before);
    counts[i] = count;
    if (count === 0) continue;
    if (lowest < 0) lowest = i;
    highest = i;
  }
  if (lowest < 0) return { first: to.first, counts, sumNs: 0, minNs: 0, maxNs: 0 };
  const minNs = Math.max(bucketLow(to.first + lowest), to.minNs);
  const maxNs = Math.min(bucketHigh(to.first + highest), to.maxNs);
  const recorded = totalCount({ first: 0, counts, sumNs: 0, minNs: 0, maxNs: 0 });
  // Sum and counts of a live snapshot are read one after the other while the worker goes on: keep the mean within what was seen.
  const sumNs = Math.min(Math.max(to.sumNs - (from?.sumNs ?? 0), minNs * recorded), maxNs * recorded);
  return { first: to.first, counts, sumNs, minNs, maxNs };
}
