/** Of a test that was repeated: how well its mean is known, and a row per run. */
import type { Result } from "../result/model.js";
import { roughPercent } from "../result/percents.js";
import { alignRows, type Cell, known } from "./layout.js";
import { formatBitRate, formatCores, formatCount, formatRate, formatTime } from "./units.js";

/** Beyond this, runs are left to the JSON. */
const MAX_RUN_ROWS = 30;

export function formatRuns(runs: number): string {
  return runs === 1 ? "1 run" : `${formatCount(runs)} runs`;
}

/** "45.68 k/s ± 1.2 % (5 runs, 95 % confidence)"; undefined where the test was not repeated. */
export function describeMean({ repeat }: Result): string | undefined {
  if (repeat === undefined) return undefined;
  const { runs, meanPerSecond, meanBitsPerSecond, confidence, halfWidthPct } = repeat;
  const mean = known(meanPerSecond, formatRate) ?? known(meanBitsPerSecond, formatBitRate) ?? "unknown";
  const reach = known(halfWidthPct, (percent) => ` ± ${roughPercent(percent)}`) ?? "";
  const level = reach === "" ? "nothing known of its spread" : `${(confidence * 100).toFixed(0)} % confidence`;
  return `${mean}${reach} (${formatRuns(runs)}, ${level})`;
}

/** A row per run; none where the test was not repeated. */
export function runTable({ runs = [] }: Result): string[] {
  if (runs.length === 0) return [];
  if (runs.length > MAX_RUN_ROWS) return [`runs: ${runs.length}, listed one by one in the JSON result`];
  const rows = runs.map(({ perSecond, bitsPerSecond, latency, cpu }, index): Cell[] => {
    const times = latency && [latency.p50Ns, latency.p90Ns, latency.p99Ns, latency.p99_9Ns];
    const cores = [cpu.local, cpu.remote].map((end) => known(end?.busyCores, formatCores));
    const rate = known(perSecond, formatRate) ?? known(bitsPerSecond, formatBitRate);
    return [String(index + 1), rate, ...(times?.map(formatTime) ?? ["", "", "", ""]), ...cores];
  });
  return alignRows(["run", "rate", "p50", "p90", "p99", "p99.9", "client cores", "server cores"], rows);
}
