import { describe, expect, it } from "vitest";
import { compare, median, summarize } from "../../../bench/peers/stats.js";

describe("summaries", () => {
  it("take the middle, and the mean of the two middles", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(summarize([5, 1, 3])).toEqual({ count: 3, median: 3, min: 1, max: 5 });
    expect(summarize([])).toBeUndefined();
  });
});

describe("comparisons", () => {
  it("give the ratio of medians and the ratios round by round", () => {
    expect(compare([10, 20, 60], [10, 10, 20])).toEqual({
      ofMedians: 2,
      pairwise: { count: 3, median: 2, min: 1, max: 3 },
    });
  });

  it("leave out rounds in which one of the two failed", () => {
    expect(compare([10, undefined, 30], [5, 5, undefined])).toEqual({
      ofMedians: 2,
      pairwise: { count: 1, median: 2, min: 2, max: 2 },
    });
    expect(compare([10], [undefined])).toBeUndefined();
    expect(compare([10], [0])).toBeUndefined();
  });
});
