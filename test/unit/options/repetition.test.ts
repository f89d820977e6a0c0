import { describe, expect, it } from "vitest";
import { isRepeated, repetitionOf, wallTimeNs } from "../../../src/options/repetition.js";
import { resolveRunOptions, type RunOptions } from "../../../src/options/spec.js";

const spec = (options: Partial<RunOptions> = {}) => resolveRunOptions({ test: "tcp_rr", host: "h", ...options });

describe("how often a test is run", () => {
  it.each([
    [{}, { least: 1, most: 1 }],
    [{ runs: 1 }, { least: 1, most: 1 }],
    [{ runs: 5 }, { least: 5, most: 5 }],
    [{ untilCi: "2%" }, { least: 3, most: 30 }],
    [
      { untilCi: 2, runs: 10 },
      { least: 3, most: 10 },
    ],
    [
      { untilCi: 2, runs: 3 },
      { least: 3, most: 3 },
    ],
  ])("follows from %j", (options, repetition) => {
    expect(repetitionOf(spec(options))).toEqual(repetition);
    expect(isRepeated(spec(options))).toBe(repetition.most > 1);
  });

  it("tells how long it will take: warm-up, window and some set-up for each", () => {
    const { leastNs, mostNs } = wallTimeNs(spec({ duration: 10, warmup: 1, untilCi: 1 }));
    expect(leastNs).toBeGreaterThan(3 * 11e9);
    expect(leastNs).toBeLessThan(3 * 12e9);
    expect(mostNs).toBe(10 * leastNs);
  });
});
