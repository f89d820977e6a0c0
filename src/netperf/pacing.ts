/** netperf's pacing (`-b`, `-w`): so many operations, then nothing until the interval is over. Here the same number, evenly spread. */

export interface Interval {
  operations: number;
  usecs: number;
}

/** Operations per second, 0 = as fast as it goes. */
export function operationRate({ operations, usecs }: Interval): number {
  return operations <= 0 || usecs <= 0 ? 0 : Math.max(1, Math.round((operations * 1e6) / usecs));
}

/** Of sends of a size, in bits per second. */
export function bitRate(interval: Interval, bytes: number): number {
  const { operations, usecs } = interval;
  return operations <= 0 || usecs <= 0 ? 0 : Math.max(8, Math.round((operations * bytes * 8e6) / usecs));
}
