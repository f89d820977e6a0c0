import { SIGNIFICANT_DIGITS } from "./hdr-layout.js";
import type { LatencySummary } from "./model.js";
import type { RawHistogram } from "./raw.js";

/**
 * The histogram of a summary, with the exact sum and edges that the encoding itself does not carry. Rejects where `hdr` is no HdrHistogram
 * in the layout of `hdr-layout.ts`. Async because the library is imported on first use.
 */
export async function decodeHdr(
  summary: Pick<LatencySummary, "hdr" | "count" | "meanNs" | "minNs" | "maxNs">,
): Promise<RawHistogram> {
  const { default: library } = await import("hdr-histogram-js");
  // 64 bits per bucket: longer runs overflow 32.
  const decoded = library.decodeFromCompressedBase64(summary.hdr, 64);
  if (!(decoded instanceof library.JsHistogram)) throw new Error("not a histogram");
  const { numberOfSignificantValueDigits, lowestDiscernibleValue, countsArrayLength } = decoded;
  if (numberOfSignificantValueDigits !== SIGNIFICANT_DIGITS || lowestDiscernibleValue !== 1) {
    throw new Error("a histogram of another layout");
  }
  const counts = Float64Array.from({ length: countsArrayLength }, (_, index) => decoded.getCountAtIndex(index));
  const first = Math.max(
    0,
    counts.findIndex((count) => count > 0),
  );
  const last = counts.findLastIndex((count) => count > 0);
  return {
    first,
    counts: counts.slice(first, last + 1),
    // The mean is this sum divided by the count: rounding gives the whole number back.
    sumNs: Math.round(summary.meanNs * summary.count),
    minNs: summary.minNs,
    maxNs: summary.maxNs,
  };
}

/** Every value of all of them: equal to one histogram that had recorded everything. */
export function mergeHistograms(histograms: readonly RawHistogram[]): RawHistogram {
  const filled = histograms.filter(({ counts }) => counts.length > 0);
  const [start] = filled;
  if (start === undefined) return { first: 0, counts: [], sumNs: 0, minNs: 0, maxNs: 0 };
  const extremes = filled.reduce(
    (edges, { first, counts, minNs, maxNs }) => ({
      first: Math.min(edges.first, first),
      end: Math.max(edges.end, first + counts.length),
      minNs: Math.min(edges.minNs, minNs),
      maxNs: Math.max(edges.maxNs, maxNs),
    }),
    { first: start.first, end: 0, minNs: start.minNs, maxNs: start.maxNs },
  );
  const counts = new Float64Array(extremes.end - extremes.first);
  let sumNs = 0;
  for (const histogram of filled) {
    const offset = histogram.first - extremes.first;
    for (let i = 0; i < histogram.counts.length; i++) {
      counts[offset + i] = (counts[offset + i] ?? 0) + (histogram.counts[i] ?? 0);
    }
    sumNs += histogram.sumNs;
  }
  return { first: extremes.first, counts, sumNs, minNs: extremes.minNs, maxNs: extremes.maxNs };
}
