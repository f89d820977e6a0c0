/** What a person sees of a suite on stderr: on a terminal one live line, else a line as each run starts; and a line for each that ended. */
import { nameRun, renderFigures, renderSummary } from "../report/summary.js";
import { variantsOf } from "../report/variants.js";
import { formatDuration } from "../options/durations.js";
import { wallTimeNs } from "../options/repetition.js";
import type { PlannedRun } from "../suite/plan.js";
import type { Measured } from "./measure.js";
import { note } from "./output.js";
import { CLEAR_LINE, type Progress, showLive } from "./progress.js";

export interface SuiteProgress {
  /** Before the run with this index in the plan. */
  start(index: number): Progress;
  finish(outcome: Measured): void;
  pause(ns: number): void;
}

/** `waiting` are the indexes of the runs still to be made. */
export function suiteProgress(plan: readonly PlannedRun[], waiting: readonly number[], quiet: boolean): SuiteProgress {
  const silent: Progress = { interval: () => undefined, end: () => undefined };
  if (quiet) return { start: () => silent, finish: () => undefined, pause: () => undefined };
  const live = process.stderr.isTTY;
  const variants = variantsOf(plan.map(({ spec }) => spec));
  const nameOf = (index: number): string => {
    return `${index + 1} of ${plan.length}: ${nameRun((plan[index] as PlannedRun).spec, variants[index] as string)}`;
  };
  /** "1m28s", or "34s to 5m36s" where it is not known how many runs it will take. */
  const left = (index: number, elapsedNs: number): string => {
    const times = waiting
      .filter((other) => other >= index)
      .map((other) => wallTimeNs((plan[other] as PlannedRun).spec));
    const sum = (key: keyof (typeof times)[0]): number => times.reduce((total, time) => total + time[key], -elapsedNs);
    const [least, most] = [wholeSeconds(sum("leastNs")), wholeSeconds(sum("mostNs"))];
    return least === most ? most : `${least} to ${most}`;
  };
  let current = 0;
  return {
    start(index) {
      current = index;
      const startedAt = performance.now();
      const eta = (): string => `ETA ${left(index, (performance.now() - startedAt) * 1e6)}`;
      if (!live) {
        note(`${nameOf(index)} (${eta()} for all)\n`);
        return silent;
      }
      showLive(`${nameOf(index)} ... (${eta()} for all)`);
      return {
        interval: (interval) => showLive(`${nameOf(index)}: ${renderFigures(interval)}  (${eta()} for all)`),
        end: () => note(CLEAR_LINE),
      };
    },
    finish({ result }) {
      if (result === undefined) return;
      const summary = renderSummary(result, variants[current]);
      note(live ? `${current + 1} of ${plan.length}: ${summary}\n` : `  ${summary}\n`);
    },
    pause: (ns) => note(`settling for ${wholeSeconds(ns)}\n`),
  };
}

/** "1m28s", never below zero. */
function wholeSeconds(ns: number): string {
  return formatDuration(Math.ceil(Math.max(0, ns) / 1e9) * 1e9);
}
