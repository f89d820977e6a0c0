import type { LabelledRun } from "./runs.js";
import { renderSummary } from "./summary.js";
import { variantsOf } from "./variants.js";

/** A line per run, to be pasted into a chat: "A: tcp_rr, 32 flows: 123.4 k/s, p50 12.34 us, p99 45.6 us". */
export function renderLines(runs: readonly LabelledRun[]): string {
  const variants = variantsOf(runs.map(({ result }) => result.spec));
  return runs.map(({ label, result }, index) => `${label}: ${renderSummary(result, variants[index])}\n`).join("");
}
