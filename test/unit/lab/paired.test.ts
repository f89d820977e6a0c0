import { describe, expect, it } from "vitest";
import { byRounds, tQuantile } from "../../../src/lab/paired.js";
import { compare } from "../../../src/result/compare.js";
import type { MetricComparison } from "../../../src/result/model.js";
import { loadStudentT } from "../../../src/result/statistics.js";
import { measurement } from "./documents.js";

async function judged(base: readonly number[], next: readonly number[]): Promise<MetricComparison> {
  const [before, after] = [measurement("a", base), measurement("b", next)];
  const { pairs } = await compare(before.results, after.results);
  const found = pairs[0]?.metrics.find(({ metric }) => metric === "transactions");
  return found ?? expect.fail("no metric");
}

describe("paths compared by rounds", () => {
  it("show what drifts of the whole machine hide from the runs' means", async () => {
    const [base, next] = [
      [1000, 400, 2000, 800],
      [1200, 485, 2390, 964],
    ];
    const unpaired = await judged(base, next);
    expect(unpaired.verdict).toBe("tooNoisy");
    const paired = byRounds(unpaired, measurement("a", base), measurement("b", next));
    expect(paired.verdict).toBe("better");
    expect(paired.differencePct).toBeCloseTo(20.3, 0);
    expect(paired.interval?.lowPct).toBeGreaterThan(15);
    expect(paired.interval?.highPct).toBeLessThan(25);
    // The other way round the ratio is the inverse.
    const inverse = byRounds(unpaired, measurement("b", next), measurement("a", base));
    expect(inverse.verdict).toBe("worse");
    expect((1 + inverse.differencePct / 100) * (1 + paired.differencePct / 100)).toBeCloseTo(1);
  });

  it("show nothing where the ratios go both ways", async () => {
    const [base, next] = [
      [1000, 1000, 1000],
      [1500, 700, 1100],
    ];
    const { verdict } = byRounds(await judged(base, next), measurement("a", base), measurement("b", next));
    expect(verdict).toBe("tooNoisy");
  });

  it("hold only runs of the same round against each other", async () => {
    const [base, next] = [measurement("a", [1000, 9, 2000]), measurement("b", [1300, 2600])];
    next.rounds = [0, 2];
    const { differencePct, interval } = byRounds(await judged([1, 2], [1, 2]), base, next);
    expect(differencePct).toBeCloseTo(30);
    expect(interval?.lowPct).toBeCloseTo(30);
  });

  it("leave a comparison of single rounds as it is", async () => {
    const metric = await judged([10, 11], [12, 13]);
    expect(byRounds(metric, measurement("a", [10]), measurement("b", [12]))).toBe(metric);
  });

  it("know Student's t", async () => {
    const student = await loadStudentT();
    for (const degrees of [1, 2, 9, 30, 31, 60, 999]) {
      expect(tQuantile(degrees)).toBeCloseTo(student.quantile(0.975, degrees), 2);
    }
  });
});
