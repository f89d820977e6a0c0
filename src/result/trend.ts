/** Whether a rate drifted over the window, from the rates of its intervals. */
import { formatDuration } from "../options/durations.js";
import type { Interval, Warning } from "./model.js";
import { mean } from "./statistics.js";

/** Fewer intervals than this show no trend: the normal approximation of the test needs about as many. */
const MIN_POINTS = 8;
/** Every pair of points is looked at: of longer series, means of neighbours. */
const MAX_POINTS = 100;
/** 97.5 % of the standard normal distribution lies below: a two-sided test at 95 %. */
const CRITICAL_Z = 1.959964;
/** A drift below this share of the mean does no harm worth a warning. */
const TOLERABLE_DRIFT = 0.05;

export interface Drift {
  /** Change from the first to the last value along the straight line, as a share of the mean. */
  share: number;
  significant: boolean;
}

/** Means of neighbours, so that at most {@link MAX_POINTS} are left. */
function thin(values: readonly number[]): readonly number[] {
  const points = Math.min(values.length, MAX_POINTS);
  const edge = (point: number): number => Math.floor((point * values.length) / points);
  return Array.from({ length: points }, (_, point) => mean(values.slice(edge(point), edge(point + 1))));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return mean(sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1));
}

/** Variance of Mann and Kendall's S without a trend; equal values lower it. */
function varianceOfS(values: readonly number[]): number {
  const term = (count: number): number => count * (count - 1) * (2 * count + 5);
  const ties = new Map<number, number>();
  for (const value of values) ties.set(value, (ties.get(value) ?? 0) + 1);
  return [...ties.values()].reduce((rest, count) => rest - term(count), term(values.length)) / 18;
}

/**
 * The straight line through equally spaced values by Theil and Sen (the median of the slopes of all pairs), and whether the trend is
 * significant at 95 % by Mann and Kendall's test. Neither assumes a distribution, and one interval that stalled does not tilt the
 * line as it would with least squares. Undefined for too few values or a mean of 0.
 */
export function drift(series: readonly number[]): Drift | undefined {
  if (series.length < MIN_POINTS) return undefined;
  const values = thin(series);
  const center = mean(values);
  if (!(center > 0)) return undefined;
  const slopes: number[] = [];
  let s = 0;
  for (const [i, early] of values.entries()) {
    for (let j = i + 1; j < values.length; j++) {
      const rise = (values[j] ?? early) - early;
      slopes.push(rise / (j - i));
      s += Math.sign(rise);
    }
  }
  // Continuity: S takes every second whole number only.
  const z = Math.max(0, Math.abs(s) - 1) / Math.sqrt(varianceOfS(values));
  return { share: (median(slopes) * (values.length - 1)) / center, significant: z > CRITICAL_Z };
}

function rateOf({ transactions, throughput }: Interval): number | undefined {
  return transactions?.perSecond ?? throughput?.bitsPerSecond ?? throughput?.sender?.bitsPerSecond;
}

/** UNSTEADY, where the rate of the intervals drifted by more than 5 %. */
export function unsteady(intervals: readonly Interval[], warmupNs: number): Warning[] {
  const rates = intervals.map(rateOf).filter((rate) => rate !== undefined);
  const found = drift(rates);
  if (found === undefined || !found.significant || Math.abs(found.share) <= TOLERABLE_DRIFT) return [];
  const direction = found.share > 0 ? "rose" : "fell";
  return [
    {
      code: "UNSTEADY",
      message: `The rate ${direction} by ${(Math.abs(found.share) * 100).toFixed(1)} % of its mean over the window, steadily enough not to be chance: the mean is that of a change, not of a state`,
      advice: `Lengthen --warmup (${formatDuration(warmupNs)}) until the rate stays level; failing that, look for other load, throttling or heat, and measure for longer with --duration`,
    },
  ];
}
