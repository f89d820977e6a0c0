import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketWidth } from "../../../src/result/hdr-layout.js";
import { histogramBetween, latencyFigures, latencySummary, totalCount } from "../../../src/result/latency.js";
import type { IntervalLatency } from "../../../src/result/model.js";
import { histogram, indexOf } from "./fixtures.js";

const samples = fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1, maxLength: 200 });

function expectOrder(figures: IntervalLatency): void {
  const { minNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs, meanNs } = figures;
  const ascending = [minNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs];
  expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
  expect(meanNs).toBeGreaterThanOrEqual(minNs);
  expect(meanNs).toBeLessThanOrEqual(maxNs);
}

describe("latencySummary", () => {
  it("has exact count, minimum, mean and maximum, and its figures in order", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const summary = latencySummary("rtt", histogram(values))!;
        const sorted = [...values].sort((a, b) => a - b);
        expect(summary).toMatchObject({ kind: "rtt", count: values.length, minNs: sorted[0], maxNs: sorted.at(-1) });
        expect(summary.meanNs).toBe(values.reduce((sum, one) => sum + one) / values.length);
        expectOrder(summary);
      }),
    );
  });

  it("has a median within one bucket of the true one", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const median = sorted[Math.ceil(sorted.length / 2) - 1]!;
        const { p50Ns } = latencySummary("rtt", histogram(values))!;
        expect(p50Ns).toBeGreaterThanOrEqual(median);
        expect(p50Ns - median).toBeLessThan(bucketWidth(indexOf(median)));
      }),
    );
  });

  it("has a standard deviation that is exact where buckets hold one value each", () => {
    expect(latencySummary("connect", histogram([100, 200, 300, 400]))!.stddevNs).toBeCloseTo(Math.sqrt(12500), 9);
    expect(latencySummary("connect", histogram([1500, 1500]))!.stddevNs).toBe(0);
  });

  it("is absent when nothing was recorded or there is no histogram", () => {
    expect(latencySummary("rtt", histogram([]))).toBeUndefined();
    expect(latencySummary("rtt", { first: 5, counts: [0, 0], sumNs: 0, minNs: 0, maxNs: 0 })).toBeUndefined();
    expect(latencySummary("rtt", undefined)).toBeUndefined();
  });
});

describe("histogramBetween", () => {
  it("is what was recorded after the first snapshot", () => {
    fc.assert(
      fc.property(samples, samples, (before, after) => {
        const between = histogramBetween(histogram(before), histogram([...before, ...after]));
        expect(totalCount(between)).toBe(after.length);
        const figures = latencyFigures("rtt", between)!;
        expectOrder(figures);
        const [least, most] = [Math.min(...after), Math.max(...after)];
        expect(figures.minNs).toBeLessThanOrEqual(least);
        expect(least - figures.minNs).toBeLessThan(bucketWidth(indexOf(least)));
        expect(figures.maxNs).toBeGreaterThanOrEqual(most);
        expect(figures.maxNs - most).toBeLessThan(bucketWidth(indexOf(most)));
      }),
    );
  });

  it("counts everything where there was no snapshot before", () => {
    const whole = histogram([10, 20, 4000]);
    expect(latencyFigures("rtt", histogramBetween(undefined, whole))).toEqual(latencyFigures("rtt", whole));
  });

  it("is empty when nothing was added", () => {
    const same = histogram([10, 20]);
    expect(latencyFigures("rtt", histogramBetween(same, same))).toBeUndefined();
  });

  it("keeps the mean in bounds when sum and counts were read at slightly different moments", () => {
    const from = { first: 100, counts: [1], sumNs: 100, minNs: 100, maxNs: 100 };
    const tooFar = { first: 100, counts: [2], sumNs: 900, minNs: 100, maxNs: 100 };
    expectOrder(latencyFigures("rtt", histogramBetween(from, tooFar))!);
    expectOrder(latencyFigures("rtt", histogramBetween({ ...from, sumNs: 500 }, { ...tooFar, sumNs: 400 }))!);
  });
});
