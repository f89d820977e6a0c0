/**
 * How well the quantiles of one run's histogram are known from that run alone. The bootstrap: draw as many values as were recorded from
 * those that were recorded, take the quantile, and repeat. It takes transactions for independent of each other, and knows nothing of
 * what would differ in another run.
 */
import { bucketHigh } from "./hdr-layout.js";
import { totalCount } from "./latency.js";
import type { RawHistogram } from "./raw.js";
import { type Bounds, CONFIDENCE } from "./statistics.js";

/** The ends of a 95 % interval then rest on 100 values each. */
const RESAMPLES = 4000;
/** Fixed, so that the same files always give the same interval. */
const SEED = 0x5eed;

/** Uniform in (0, 1): mulberry32, 32 bits of state, plenty for some ten thousand draws. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Standard normal, by Box and Muller. */
function normal(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Gamma with a shape of at least 1, by Marsaglia and Tsang (ACM TOMS 26, 2000). */
function gamma(shape: number, uniform: () => number): number {
  const d = shape - 1 / 3;
  for (;;) {
    const x = normal(uniform);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** The value that a share of the histogram's values does not exceed. */
function valueAt(histogram: RawHistogram, total: number): (share: number) => number {
  const upTo = new Float64Array(histogram.counts.length);
  let seen = 0;
  for (let i = 0; i < upTo.length; i++) upTo[i] = seen += histogram.counts[i] ?? 0;
  return (share) => {
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((upTo[middle] ?? 0) < share * total) low = middle + 1;
      else high = middle;
    }
    return Math.min(bucketHigh(histogram.first + low), histogram.maxNs);
  };
}

/**
 * The quantile of one resample after another. A resample of n values need not be drawn: its k-th smallest value is the histogram's
 * value at the k-th smallest of n uniform draws, which is Beta(k, n - k + 1) distributed, and Beta is a ratio of Gammas.
 */
function resampler(histogram: RawHistogram, percentile: number, uniform: () => number): () => number {
  const n = totalCount(histogram);
  const k = Math.min(n, Math.max(1, Math.ceil((percentile / 100) * n)));
  const value = valueAt(histogram, n);
  return () => {
    const below = gamma(k, uniform);
    return value(below / (below + gamma(n - k + 1, uniform)));
  };
}

/**
 * Percentile interval of the ratio of one quantile of two histograms, `next` to `base`, from the histograms alone; undefined where one is
 * empty. Deterministic.
 */
export function bootstrapRatio(
  base: RawHistogram,
  next: RawHistogram,
  percentile: number,
  confidence: number = CONFIDENCE,
): Bounds | undefined {
  if (totalCount(base) === 0 || totalCount(next) === 0) return undefined;
  const uniform = uniforms(SEED);
  const drawBase = resampler(base, percentile, uniform);
  const drawNext = resampler(next, percentile, uniform);
  // Nothing takes less than the clock's nanosecond.
  const ratios = Float64Array.from({ length: RESAMPLES }, () => drawNext() / Math.max(1, drawBase())).sort();
  const tail = (1 - confidence) / 2;
  const at = (share: number): number => ratios[Math.round(share * (RESAMPLES - 1))] ?? 1;
  return { low: at(tail), high: at(1 - tail) };
}
