/**
 * Index layout of HdrHistogram(lowest 1, highest 2^42, 3 significant digits), which the addon's histograms share: index 0 to 2047 hold
 * the values 0 to 2047 one by one; then each run of 1024 indexes covers the next doubling of values, in steps twice as wide as before.
 */
const HALF = 1024;

/** 2^42 ns, 73 minutes: what lies above is recorded as this. */
export const HIGHEST_TRACKABLE_NS = 2 ** 42;
export const SIGNIFICANT_DIGITS = 3;
/** Indexes of the whole layout: 33 doublings and the lower half of the first. */
export const INDEX_COUNT = 34 * HALF;

/** Width of the bucket at an index: how many values it stands for, a power of two. */
export function bucketWidth(index: number): number {
  return 2 ** Math.max(0, Math.floor(index / HALF) - 1);
}

/** Smallest value of the bucket at an index. */
export function bucketLow(index: number): number {
  return index < 2 * HALF ? index : (HALF + (index % HALF)) * bucketWidth(index);
}

/** Largest value of the bucket at an index. */
export function bucketHigh(index: number): number {
  return bucketLow(index) + bucketWidth(index) - 1;
}
