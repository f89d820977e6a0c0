/** Whether two sets of results differ. What it takes is loaded on use: importing the package shall cost next to nothing. */
import type { CompareOptions } from "./compare-sets.js";
import type { Comparison, Result } from "./model.js";

export type { CompareOptions };

const listOf = (results: Result | readonly Result[]): readonly Result[] => ("schema" in results ? [results] : results);

/**
 * Compares results with those of a base, test by test and metric by metric. Several results of the same test on one side count as its
 * runs, and so do the runs of a repeated one. Depends on nothing but its arguments. Rejects with CnbLoadError `ERR_INVALID_OPTION` for an
 * option out of range or a latency histogram that cannot be read.
 */
export async function compare(
  base: Result | readonly Result[],
  next: Result | readonly Result[],
  options: CompareOptions = {},
): Promise<Comparison> {
  const { compareSets } = await import("./compare-sets.js");
  return compareSets(listOf(base), listOf(next), options);
}
