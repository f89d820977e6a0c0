/** The curve of a latency's percentiles, from the whole histogram where it can be read. */
import type { Histogram } from "hdr-histogram-js";
import type { LatencySummary } from "../result/model.js";

/** A share of transactions, 0 to 1, and the latency that it does not exceed. */
export interface Percentile {
  share: number;
  ns: number;
}

/** Points for every tenfold of the tail: at p90, p99, p99.9 and evenly between them on a logarithmic axis. */
const STEPS_PER_DECADE = 8;

/** From the median's side to the last share of which one transaction is left; the summary's few points where `hdr` is no histogram. */
export async function percentileCurve(latency: LatencySummary): Promise<Percentile[]> {
  const decades = Math.log10(Math.max(10, latency.count));
  const shares = Array.from(
    { length: Math.floor(decades * STEPS_PER_DECADE) + 1 },
    (_, step) => 1 - 10 ** (-step / STEPS_PER_DECADE),
  );
  const histogram = await decode(latency.hdr);
  if (histogram === null || histogram.totalCount === 0) return summaryPoints(latency);
  return shares.map((share) => ({ share, ns: Math.min(histogram.getValueAtPercentile(share * 100), latency.maxNs) }));
}

async function decode(hdr: string): Promise<Histogram | null> {
  const { decodeFromCompressedBase64 } = (await import("hdr-histogram-js")).default;
  try {
    return decodeFromCompressedBase64(hdr);
  } catch {
    return null;
  }
}

function summaryPoints(latency: LatencySummary): Percentile[] {
  const { minNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns } = latency;
  const points: [number, number][] = [
    [0, minNs],
    [0.5, p50Ns],
    [0.9, p90Ns],
    [0.95, p95Ns],
    [0.99, p99Ns],
    [0.999, p99_9Ns],
    [0.9999, p99_99Ns],
  ];
  const reach = 1 - 1 / Math.max(1, latency.count);
  return points.filter(([share]) => share <= reach).map(([share, ns]) => ({ share, ns }));
}
