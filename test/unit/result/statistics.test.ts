import { describe, expect, it } from "vitest";
import {
  furtherRuns,
  furtherRunsOfEach,
  halfWidth,
  loadStudentT,
  MAX_FURTHER_RUNS,
  ratioInterval,
  type Sample,
  sampleOf,
  standardDeviation,
  welch,
} from "../../../src/result/statistics.js";

const student = await loadStudentT();

describe("Student's t", () => {
  // scipy.stats.t.ppf, SciPy 1.17.
  it.each([
    [0.975, 1, 12.706204736174694],
    [0.975, 2, 4.302652729749462],
    [0.975, 4, 2.7764451051977934],
    [0.995, 9, 3.249835541592126],
    [0.95, 29, 1.6991270265334972],
    [0.975, 2.7, 3.3921483831737507],
    [0.995, 7.31, 3.4495027530543103],
    [0.975, 1000.5, 1.962337892459348],
    [0.75, 1, 1],
    [0.5, 3, 0],
    [0.025, 4, -2.7764451051977934],
  ])("leaves %d below at %d degrees of freedom: %d", (p, degrees, t) => {
    expect(student.quantile(p, degrees)).toBeCloseTo(t, 7);
  });
});

describe("a sample", () => {
  it("has the mean and the variance with n - 1", () => {
    const sample = sampleOf([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(sample).toEqual({ runs: 8, mean: 5, variance: 32 / 7 });
    expect(standardDeviation(sample)).toBeCloseTo(2.138089935299395, 12);
    expect(sampleOf([3])).toEqual({ runs: 1, mean: 3, variance: 0 });
  });

  it("has the interval of the textbook, and none from a single run", () => {
    // Student's sleep data, drug 2 (Biometrika 6, 1908; R: t.test(extra[group == 2])): mean 2.33, 95 % interval 0.898 to 3.762.
    const sleep = sampleOf([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]);
    const reach = halfWidth(sleep, student) ?? NaN;
    expect([sleep.mean - reach, sleep.mean, sleep.mean + reach]).toEqual([
      expect.closeTo(0.8976775, 6),
      expect.closeTo(2.33, 12),
      expect.closeTo(3.7623225, 6),
    ]);
    expect(halfWidth(sampleOf([1]), student)).toBeUndefined();
    expect(halfWidth(sampleOf([4, 4, 4]), student)).toBe(0);
  });
});

describe("Welch's interval", () => {
  // Student's sleep data as two independent groups: the example of R's help page of t.test, t = -1.8608, df = 17.776, p = 0.0794,
  // 95 % interval -3.3654832 to 0.2054832.
  const one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
  const two = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

  it("is that of the published example", () => {
    const interval = welch(sampleOf(two), sampleOf(one), student);
    expect(interval?.difference).toBeCloseTo(-1.58, 12);
    expect(interval?.degreesOfFreedom).toBeCloseTo(17.776474, 6);
    expect(interval?.low).toBeCloseTo(-3.3654832, 7);
    expect(interval?.high).toBeCloseTo(0.2054832, 7);
  });

  it("is what the formulas give when worked out step by step", () => {
    // base 1, 2, 3: mean 2, variance 1, error 1/3. next 4, 6, 8, 10: mean 7, variance 20/3, error 5/3.
    // Degrees: (1/3 + 5/3)^2 / ((1/3)^2 / 2 + (5/3)^2 / 3) = 4 / (1/18 + 25/27) = 4 x 54 / 53.
    const interval = welch(sampleOf([1, 2, 3]), sampleOf([4, 6, 8, 10]), student);
    const degrees = 216 / 53;
    expect(interval?.degreesOfFreedom).toBeCloseTo(degrees, 12);
    const reach = student.quantile(0.975, degrees) * Math.SQRT2;
    expect(interval).toMatchObject({ difference: 5, low: expect.closeTo(5 - reach, 12) as number });
    expect(interval?.high).toBeCloseTo(5 + reach, 12);
  });

  it("needs two runs on each side, and takes runs without any spread as they are", () => {
    expect(welch(sampleOf([1]), sampleOf([1, 2]), student)).toBeUndefined();
    expect(welch(sampleOf([1, 1]), sampleOf([2, 2]), student)).toMatchObject({ low: 1, high: 1 });
  });
});

describe("the interval of a ratio", () => {
  it("excludes 1 exactly when Welch's interval excludes 0", () => {
    const base: Sample = { runs: 5, mean: 100, variance: 4 };
    for (let next = 90; next < 110; next += 0.01) {
      const sample: Sample = { runs: 4, mean: next, variance: 9 };
      const difference = welch(base, sample, student);
      const ratio = ratioInterval(base, sample, student);
      if (difference === undefined || ratio === undefined) expect.fail("no interval");
      expect(ratio.low <= 1 && ratio.high >= 1).toBe(difference.low <= 0 && difference.high >= 0);
    }
  });

  it("solves Fieller's equation at both ends", () => {
    const base: Sample = { runs: 5, mean: 100, variance: 40 };
    const next: Sample = { runs: 3, mean: 120, variance: 90 };
    const { low, high } = ratioInterval(base, next, student) ?? { low: NaN, high: NaN };
    const degrees = welch(base, next, student)?.degreesOfFreedom ?? NaN;
    const t = student.quantile(0.975, degrees);
    for (const ratio of [low, high]) {
      expect(Math.abs(120 - ratio * 100)).toBeCloseTo(t * Math.sqrt(90 / 3 + ratio ** 2 * (40 / 5)), 9);
    }
    expect(low < 1.2 && high > 1.2).toBe(true);
  });

  it("does not exist where the base could as well be 0, or where a side has one run", () => {
    expect(ratioInterval(sampleOf([0, 1]), sampleOf([5, 6]), student)).toBeUndefined();
    expect(ratioInterval(sampleOf([5]), sampleOf([5, 6]), student)).toBeUndefined();
  });
});

describe("the number of further runs", () => {
  it("is the least with which the interval is narrow enough", () => {
    const sample: Sample = { runs: 3, mean: 100, variance: 4 };
    const more = furtherRuns(sample, 1, student) ?? NaN;
    const width = (runs: number): number => halfWidth({ ...sample, runs }, student) ?? NaN;
    expect(more).toBeGreaterThan(1);
    expect(width(3 + more)).toBeLessThanOrEqual(1);
    expect(width(2 + more)).toBeGreaterThan(1);
    expect(furtherRuns(sample, width(3), student)).toBe(0);
  });

  it("is left open where it cannot be told", () => {
    expect(furtherRuns(sampleOf([1]), 1, student)).toBeUndefined();
    expect(furtherRuns({ runs: 2, mean: 1, variance: MAX_FURTHER_RUNS }, 0.01, student)).toBeUndefined();
  });

  it("of two sides narrows the interval of the difference", () => {
    const [base, next]: [Sample, Sample] = [
      { runs: 3, mean: 100, variance: 9 },
      { runs: 4, mean: 101, variance: 25 },
    ];
    const more = furtherRunsOfEach(base, next, 2, student) ?? NaN;
    const width = (runs: number): number => {
      const { low, high } = welch({ ...base, runs: 3 + runs }, { ...next, runs: 4 + runs }, student) ?? {
        low: 0,
        high: 0,
      };
      return (high - low) / 2;
    };
    expect(width(more)).toBeLessThanOrEqual(2);
    expect(width(more - 1)).toBeGreaterThan(2);
  });
});
