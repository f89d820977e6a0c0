import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Interval } from "../../../src/result/model.js";
import { drift, unsteady } from "../../../src/result/trend.js";

const rising = (points: number, slope: number): number[] =>
  Array.from({ length: points }, (_, i) => 100 + slope * i + (i % 2 === 0 ? 0.1 : -0.1));

function intervalsOf(rates: readonly number[]): Interval[] {
  return rates.map((perSecond, index) => ({
    startNs: index * 1e9,
    durationNs: 1e9,
    transactions: { count: perSecond, perSecond },
  }));
}

describe("the drift of a series", () => {
  it("is the change along the line, as a share of the mean", () => {
    const found = drift(Array.from({ length: 11 }, (_, i) => 95 + i));
    expect(found).toEqual({ share: expect.closeTo(0.1, 12) as number, significant: true });
    expect(drift(Array.from({ length: 11 }, (_, i) => 105 - i))?.share).toBeCloseTo(-0.1, 12);
  });

  it("agrees with Mann and Kendall's test worked out by hand", () => {
    // 8 values: 28 pairs, of which 23 rise and 5 fall: S = 18, variance 8 x 7 x 21 / 18 = 196 / 3, z = 17 / 8.083 = 2.10 > 1.96.
    expect(drift([3, 1, 2, 6, 4, 5, 8, 7])?.significant).toBe(true);
    // One more inversion: S = 16, z = 15 / 8.083 = 1.86.
    expect(drift([3, 2, 1, 6, 4, 5, 8, 7])?.significant).toBe(false);
    // Ties: values 1 1 2 2 3 3 4 4 have S = 24 and the variance 196 / 3 - 4 x 2 x 1 x 9 / 18 = 184 / 3.
    expect(drift([1, 1, 2, 2, 3, 3, 4, 4])?.significant).toBe(true);
  });

  it("is not tilted by one interval that stalled", () => {
    const rates = [100, 101, 100, 99, 100, 101, 99, 100, 101, 5];
    expect(Math.abs(drift(rates)?.share ?? NaN)).toBeLessThan(0.02);
  });

  it("is found in long series, too", () => {
    const found = drift(rising(250_000, 0.0001));
    expect(found).toEqual({ share: expect.closeTo(25 / 112.5, 2) as number, significant: true });
  });

  it("is unknown for few values, or none above 0", () => {
    expect(drift([1, 2, 3, 4, 5, 6, 7])).toBeUndefined();
    expect(drift(new Array<number>(20).fill(0))).toBeUndefined();
  });

  it("is nothing where all values are equal", () => {
    expect(drift(new Array<number>(20).fill(7))).toEqual({ share: 0, significant: false });
  });

  it("is a number for whatever comes, and the opposite when read backwards", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1e12 }), { minLength: 8, maxLength: 60 }), (values) => {
        const forth = drift(values);
        const back = drift([...values].reverse());
        expect(forth?.share).toBeCloseTo(-(back?.share ?? NaN), 9);
        expect(forth?.significant).toBe(back?.significant);
      }),
    );
  });
});

describe("UNSTEADY", () => {
  it("is warned of where the rate drifts by more than 5 %", () => {
    const [warning, ...others] = unsteady(intervalsOf(rising(10, 1)), 1e9);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: "UNSTEADY" });
    expect(warning?.message).toContain("rose by 8.");
    expect(warning?.advice).toContain("Lengthen --warmup (1s)");
    expect(unsteady(intervalsOf(rising(10, -1)), 1e9)[0]?.message).toContain("fell by 9.");
  });

  it("is not where it hardly drifts, or only jitters", () => {
    expect(unsteady(intervalsOf(rising(10, 0.4)), 1e9)).toEqual([]);
    expect(unsteady(intervalsOf([100, 130, 95, 120, 90, 140, 100, 125, 105, 118]), 1e9)).toEqual([]);
    expect(unsteady([], 1e9)).toEqual([]);
  });

  it("looks at throughput, of the sender where the receiver is unknown", () => {
    const intervals = (key: "goodput" | "sender"): Interval[] =>
      rising(10, 2).map((bitsPerSecond, index) => {
        const figure = { bitsPerSecond, bytes: 1 };
        return {
          startNs: index,
          durationNs: 1,
          throughput: key === "goodput" ? { ...figure, sender: { bitsPerSecond: 1, bytes: 1 } } : { sender: figure },
        };
      });
    expect(unsteady(intervals("goodput"), 1e9)).toHaveLength(1);
    expect(unsteady(intervals("sender"), 1e9)).toHaveLength(1);
  });
});
