/** Two-sided Student quantiles by degrees of freedom, from 1 on (any table of the t distribution). */
const QUANTILES: Readonly<Record<number, readonly number[]>> = {
  95: [
    ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228],
    ...[2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086],
    ...[2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
  ],
  99: [
    ...[63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.25, 3.169],
    ...[3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845],
    ...[2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.75],
  ],
};

/** Full widths of the confidence intervals of the means, in percent of the mean; Infinity for a single value. */
export function intervalWidths(level: number, series: readonly (readonly number[])[]): number[] {
  return series.map((values) => {
    const count = values.length;
    const mean = values.reduce((sum, value) => sum + value, 0) / count;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
    if (count > 1 && variance === 0) return 0;
    const quantile = QUANTILES[level]?.[count - 2];
    if (quantile === undefined || mean === 0) return Number.POSITIVE_INFINITY;
    return Math.abs((200 * quantile * Math.sqrt(variance / (count - 1))) / mean);
  });
}
