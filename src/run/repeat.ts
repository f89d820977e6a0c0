import { CnbLoadError } from "../errors.js";
import { isRepeated, repetitionOf } from "../options/repetition.js";
import type { ResolvedSpec } from "../options/spec.js";
import type { Interval, Result } from "../result/model.js";
import { isNarrow, summarizeRuns } from "../result/repeat.js";
import { ClientRun, failWith } from "./client-run.js";
import type { Environment } from "./environment.js";

export interface RepeatSettings {
  signal?: AbortSignal | undefined;
  /** Intervals as they come, with the number of their run where there are several. */
  onInterval: (interval: Interval) => void;
  /** Called with the result of each completed run where there are several. */
  onRun?: ((result: Result, run: number) => void) | undefined;
  /** Folder for a profile of this host over the window; of the first run where there are several. */
  profile?: string | undefined;
}

/**
 * The test as often as its spec asks, one run after the other, made into one result. An abort resolves with the completed runs,
 * `state: "aborted"`; a failure rejects with an error whose `result` holds them, `state: "failed"`. Where the first run was not
 * completed, its own outcome is that of the whole.
 */
export async function repeatRuns(
  spec: ResolvedSpec,
  environment: Environment,
  { signal, onInterval, onRun, profile }: RepeatSettings,
): Promise<Result> {
  if (!isRepeated(spec)) return new ClientRun(spec, environment, { onInterval, profile }).execute(signal);
  const { least, most } = repetitionOf(spec);
  const completed: Result[] = [];
  while (completed.length < most) {
    const run = completed.length + 1;
    const next = new ClientRun(spec, environment, {
      onInterval: (interval) => onInterval({ run, ...interval }),
      ...(run === 1 && { profile }),
    });
    const result = await next.execute(signal).catch((error: unknown) => failAfter(completed, error));
    if (result.state !== "completed") {
      return completed.length === 0 ? result : summarizeRuns(completed, { state: result.state });
    }
    completed.push(result);
    // An error that the caller's function throws is the caller's.
    if (onRun !== undefined) queueMicrotask(() => onRun(result, run));
    if (spec.untilCiPct > 0 && run >= least && (await isNarrow(completed, spec.untilCiPct))) break;
  }
  return summarizeRuns(completed);
}

/** The failure of a later run, with all that the earlier ones measured. */
async function failAfter(completed: readonly Result[], error: unknown): Promise<never> {
  if (completed.length === 0 || !(error instanceof CnbLoadError)) throw error;
  const { code, message } = error;
  return failWith(error, await summarizeRuns(completed, { state: "failed", error: { code, message } }));
}
