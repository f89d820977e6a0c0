import type { ResolvedSpec } from "./resolved.js";

/** With fewer runs Student's t is so wide that a narrow interval is luck. */
export const LEAST_RUNS_FOR_CI = 3;
/** Runs at most until the interval is narrow enough, unless told otherwise. */
export const MOST_RUNS_FOR_CI = 30;

/** How often a test is run. */
export interface Repetition {
  least: number;
  most: number;
}

type Repeated = Pick<ResolvedSpec, "runs" | "untilCiPct">;

export function repetitionOf({ runs, untilCiPct }: Repeated): Repetition {
  if (untilCiPct === 0) return { least: runs ?? 1, most: runs ?? 1 };
  return { least: LEAST_RUNS_FOR_CI, most: runs ?? MOST_RUNS_FOR_CI };
}

/** Whether the result is that of several runs, even where it ends with the first. */
export function isRepeated(spec: Repeated): boolean {
  return repetitionOf(spec).most > 1;
}

/** Connecting, handshake and farewell of one run: an estimate for a test of few flows on a quick path. */
const SETUP_NS = 0.2e9;

/** How long all runs will take, at least and at most: an estimate. */
export function wallTimeNs(spec: ResolvedSpec): { leastNs: number; mostNs: number } {
  const { least, most } = repetitionOf(spec);
  const runNs = spec.warmupNs + spec.durationNs + SETUP_NS;
  return { leastNs: least * runNs, mostNs: most * runNs };
}
