/**
 * How often property tests try. A few hundred times each in the suite; with CNB_LOAD_FUZZ_SECONDS each goes on for that long, and
 * notes how often it tried in the file CNB_LOAD_FUZZ_REPORT, a line of JSON for each property.
 */
import { appendFileSync } from "node:fs";
import fc from "fast-check";

const seconds = Number(process.env["CNB_LOAD_FUZZ_SECONDS"] ?? 0);
const report = process.env["CNB_LOAD_FUZZ_REPORT"];

/** In place of fast-check's 100 tries, where a property is slow or quick. */
export function tries(numRuns: number): { numRuns?: number } {
  return seconds === 0 ? { numRuns } : {};
}

/** A setup file of vitest's: for all properties, wherever they are. */
if (seconds > 0) {
  fc.configureGlobal({ numRuns: Number.MAX_SAFE_INTEGER });
  fc.installGlobalPlugin(fc.interruptAfterTimeLimit(seconds * 1000));
  fc.installGlobalPlugin(() => ({
    onAllRunsComplete: ({ numRuns, failed }) => {
      if (report !== undefined) appendFileSync(report, `${JSON.stringify({ numRuns, failed })}\n`);
    },
  }));
}
