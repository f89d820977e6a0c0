/** Several runs as one result, for those who make the runs themselves. What it takes is loaded on use. */
import { CnbLoadError } from "../errors.js";
import type { Result } from "./model.js";

/**
 * One result of several completed runs of the same test, as `runs` and `--runs` give it: rates and CPU are means, counts and histograms
 * sums, `repeat` says how well the mean is known and `runs` keeps the figures of each. For harnesses that interleave the runs of what they
 * compare. Rejects with CnbLoadError `ERR_INVALID_OPTION` where the results are none, of different tests or not completed.
 */
export async function summarize(results: readonly Result[]): Promise<Result> {
  const [first] = results;
  const expected = "results: expected at least one, all of the same test and flows, each completed";
  const alike = ({ test, spec, state }: Result): boolean =>
    state === "completed" && test === first?.test && spec.flows === first.spec.flows;
  if (first === undefined || !results.every(alike)) throw new CnbLoadError("ERR_INVALID_OPTION", expected);
  const { summarizeRuns } = await import("./repeat.js");
  return summarizeRuns(results);
}
