import { CnbLoadError } from "../errors.js";
import type { RunOptions } from "../options/spec.js";
import type { Interval, Result } from "../result/model.js";
import type { RunSettings } from "../run/index.js";
import type { Progress } from "./progress.js";

/** What became of a run: a result, an error, or both where it failed after it had measured something. */
export interface Measured {
  result?: Result | undefined;
  error?: unknown;
}

export async function measure(
  options: RunOptions,
  { signal, profile }: Pick<RunSettings, "signal" | "profile">,
  progress: Progress,
): Promise<Measured> {
  const { run } = await import("../run/index.js");
  const hooks = { onRun: progress.run?.bind(progress), onProbe: progress.probe?.bind(progress) };
  const test = run(options, { signal, profile, ...hooks });
  const watching = watch(test, progress);
  try {
    return { result: await test };
  } catch (error) {
    const result = error instanceof CnbLoadError ? error.result : undefined;
    return { error, ...(result !== undefined && { result }) };
  } finally {
    await watching;
    progress.end();
  }
}

/** Ends with the run, whatever becomes of it: its outcome is told by the run itself. */
async function watch(test: AsyncIterable<Interval>, progress: Progress): Promise<void> {
  try {
    for await (const interval of test) progress.interval(interval);
  } catch {
    return;
  }
}
