import { describe, expect, it } from "vitest";
import { bootstrapRatio } from "../../../src/result/bootstrap.js";
import { bucketHigh } from "../../../src/result/hdr-layout.js";
import { percentiles, totalCount } from "../../../src/result/latency.js";
import type { RawHistogram } from "../../../src/result/raw.js";
import { histogram } from "./fixtures.js";

/** A generator other than that of the code under test: Park and Miller's. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Exponentially distributed times with the given mean. */
function exponential(count: number, meanNs: number, seed: number): RawHistogram {
  const uniform = random(seed);
  return histogram(Array.from({ length: count }, () => Math.round(-Math.log(uniform()) * meanNs)));
}

function ratioOf(base: RawHistogram, next: RawHistogram, percentile: number): number {
  const [[one = NaN], [other = NaN]] = [base, next].map((one) => percentiles(one, totalCount(one), [percentile])) as [
    number[],
    number[],
  ];
  return other / one;
}

describe("the bootstrap of a quantile's ratio", () => {
  it("gives the same interval every time, and it holds the ratio itself", () => {
    const [base, next] = [exponential(5000, 1e6, 1), exponential(8000, 1.1e6, 2)];
    for (const percentile of [50, 90, 99, 99.9]) {
      const bounds = bootstrapRatio(base, next, percentile);
      expect(bootstrapRatio(base, next, percentile)).toEqual(bounds);
      if (bounds === undefined) expect.fail("no interval");
      expect(bounds.low).toBeLessThan(bounds.high);
      const ratio = ratioOf(base, next, percentile);
      expect(bounds.low <= ratio && ratio <= bounds.high).toBe(true);
    }
  });

  it.each([50, 90])("covers the true ratio of p%d about as often as it says", (percentile) => {
    const trials = 200;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const bounds = bootstrapRatio(
        exponential(400, 1e6, 1000 + trial),
        exponential(600, 1.2e6, 5000 + trial),
        percentile,
      );
      if (bounds !== undefined && bounds.low <= 1.2 && 1.2 <= bounds.high) covered++;
    }
    // 95 % with a spread of 1.5 %: three spreads, and what a small sample costs.
    expect(covered / trials).toBeGreaterThan(0.9);
    expect(covered / trials).toBeLessThan(0.99);
  });

  it("has the spread of plain resampling, value by value", () => {
    const [base, next] = [exponential(300, 1e6, 7), exponential(300, 1e6, 8)];
    const uniform = random(99);
    const [ofBase, ofNext] = [base, next].map(({ first, counts, maxNs }) =>
      Array.from(counts).flatMap((count, i) => new Array<number>(count).fill(Math.min(maxNs, bucketHigh(first + i)))),
    ) as [number[], number[]];
    const p90 = (values: number[]): number => {
      const drawn = values.map(() => values[Math.floor(uniform() * values.length)]!);
      return drawn.sort((a, b) => a - b)[269]!;
    };
    const ratios = Array.from({ length: 4000 }, () => p90(ofNext) / p90(ofBase)).sort((a, b) => a - b);
    const bounds = bootstrapRatio(base, next, 90);
    expect(Math.abs((bounds?.low ?? NaN) / ratios[100]! - 1)).toBeLessThan(0.02);
    expect(Math.abs((bounds?.high ?? NaN) / ratios[3899]! - 1)).toBeLessThan(0.02);
  });

  it("is narrow for many values, and a point for a single bucket", () => {
    const [base, next] = [exponential(200_000, 1e6, 3), exponential(200_000, 1e6, 4)];
    const { low, high } = bootstrapRatio(base, next, 50) ?? { low: 0, high: 9 };
    expect(high - low).toBeLessThan(0.02);
    expect(bootstrapRatio(histogram([100, 100]), histogram([150]), 99)).toEqual({ low: 1.5, high: 1.5 });
  });

  it("does not exist for an empty histogram", () => {
    expect(bootstrapRatio(histogram([]), histogram([1]), 50)).toBeUndefined();
    expect(bootstrapRatio(histogram([1]), histogram([]), 50)).toBeUndefined();
  });
});
