import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHdr, mergeHistograms } from "../../../src/result/hdr-decode.js";
import { HIGHEST_TRACKABLE_NS } from "../../../src/result/hdr-layout.js";
import { latencySummary } from "../../../src/result/latency.js";
import type { LatencySummary } from "../../../src/result/model.js";
import type { RawHistogram } from "../../../src/result/raw.js";
import { histogram } from "./fixtures.js";
import { tries } from "../../support/tries.js";

const nanoseconds = fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: HIGHEST_TRACKABLE_NS }));
const samples = fc.array(nanoseconds, { minLength: 1, maxLength: 100 });

function summaryOf(values: readonly number[]): LatencySummary {
  const summary = latencySummary("rtt", histogram(values));
  if (summary === undefined) throw new Error("expected a summary");
  return summary;
}

/** Comparing tens of thousands of empty buckets one by one takes too long. */
function recorded({ first, counts, ...rest }: RawHistogram) {
  const filled = Array.from(counts).flatMap((count, i) => (count > 0 ? [[first + i, count]] : []));
  return { first, length: counts.length, filled, ...rest };
}

describe("a decoded histogram", () => {
  it("is what was encoded, sum and edges included", async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (values) => {
        expect(recorded(await decodeHdr(summaryOf(values)))).toEqual(recorded(histogram(values)));
      }),
      tries(50),
    );
  });

  it("is refused where it is none, or has another layout", async () => {
    const { default: library } = await import("hdr-histogram-js");
    const coarse = library.encodeIntoCompressedBase64(library.build({ numberOfSignificantValueDigits: 2 }));
    await expect(decodeHdr({ ...summaryOf([1]), hdr: coarse })).rejects.toThrow("another layout");
    for (const hdr of ["", "HISTFAAAA", "!", "AAAA"])
      await expect(decodeHdr({ ...summaryOf([1]), hdr })).rejects.toThrow();
  });
});

describe("merged histograms", () => {
  it("equal one that recorded everything", () => {
    fc.assert(
      fc.property(fc.array(samples, { minLength: 1, maxLength: 5 }), (runs) => {
        const merged = mergeHistograms(runs.map(histogram));
        const whole = histogram(runs.flat());
        expect(recorded(merged)).toEqual(recorded(whole));
        expect(latencySummary("rtt", merged)).toEqual(latencySummary("rtt", whole));
      }),
      tries(50),
    );
  });

  it("are empty where nothing was recorded, and ignore empty ones", () => {
    expect(mergeHistograms([histogram([]), histogram([])]).counts).toHaveLength(0);
    expect(mergeHistograms([histogram([]), histogram([7, 9])])).toEqual(histogram([7, 9]));
  });
});
