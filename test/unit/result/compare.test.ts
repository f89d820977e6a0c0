import { describe, expect, it } from "vitest";
import type { ResolvedSpec, TestName } from "../../../src/options/spec.js";
import { buildResult } from "../../../src/result/build.js";
import { compare, type CompareOptions } from "../../../src/result/compare.js";
import type { Comparison, MetricComparison, Result } from "../../../src/result/model.js";
import { loadStudentT } from "../../../src/result/statistics.js";
import { counters, histogram, host, rawRun, spec } from "./fixtures.js";
import { schemaProblems } from "./schema-problems.js";

type Run = NonNullable<Result["runs"]>[number];

const student = await loadStudentT();

/** One run whose every transaction took one of these times. */
function single(times: readonly number[], changes: Partial<ResolvedSpec> = {}): Result {
  const raw = rawRun("tcp_rr", { counters: counters({ transactions: times.length }), latency: histogram(times) });
  return buildResult({ ...raw, spec: spec("tcp_rr", changes) });
}

function run(perSecond: number, changes: Partial<Run> = {}): Run {
  return { startedAt: "2025-01-02T03:04:05.678Z", durationNs: 10e9, perSecond, cpu: {}, ...changes };
}

/** A repeated test with these runs. */
function repeated(runs: Run[], changes: Partial<ResolvedSpec> = {}): Result {
  return { ...single([20_000], changes), runs };
}

const ofRates = (...rates: number[]): Result => repeated(rates.map((rate) => run(rate)));

/** The one pair's metric. */
function metricOf({ pairs }: Comparison, name: MetricComparison["metric"]): MetricComparison {
  const found = pairs[0]?.metrics.find(({ metric }) => metric === name);
  if (pairs.length !== 1 || found === undefined) expect.fail(`no single pair with ${name}`);
  return found;
}

async function judge(base: Result, next: Result, options?: CompareOptions): Promise<MetricComparison> {
  return metricOf(await compare(base, next, options), "transactions");
}

/** Park and Miller's generator, made normal by Box and Muller. */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

describe("repeated runs", () => {
  it("have Fieller's interval with Welch's degrees of freedom", async () => {
    const {
      base,
      new: next,
      differencePct,
      interval,
      verdict,
    } = await judge(ofRates(99, 100, 101), ofRates(108, 110, 112));
    expect([base, next, verdict]).toEqual([100, 110, "better"]);
    expect(differencePct).toBeCloseTo(10, 12);
    // Variances 1 and 4 of 3 runs each: (1/3 + 4/3)^2 / ((1/3)^2 / 2 + (4/3)^2 / 2).
    const degrees = (5 / 3) ** 2 / (17 / 18);
    expect(interval?.degreesOfFreedom).toBeCloseTo(degrees, 12);
    const t = student.quantile(0.975, degrees);
    for (const percent of [interval?.lowPct ?? NaN, interval?.highPct ?? NaN]) {
      const ratio = 1 + percent / 100;
      expect(Math.abs(110 - ratio * 100)).toBeCloseTo(t * Math.sqrt(4 / 3 + ratio ** 2 / 3), 9);
    }
    expect(interval?.method).toBe("welch");
  });

  it("are better or worse by which way is better", async () => {
    const latency = (p50Ns: number) => ({ p50Ns, p90Ns: 2 * p50Ns, p99Ns: 3 * p50Ns, p99_9Ns: 4 * p50Ns });
    const cpu = (busy: number) => ({ local: { busyCores: busy, nsPerTransaction: busy * 1e4 } });
    const [base, next] = [1, 2].map((factor) =>
      repeated(
        [0.99, 1, 1.01].map((x) => run(100 * x * factor, { latency: latency(2e4 * x * factor), cpu: cpu(x * factor) })),
      ),
    ) as [Result, Result];
    const verdicts = (await compare(base, next)).pairs[0]?.metrics.map(({ metric, verdict }) => [metric, verdict]);
    expect(verdicts).toEqual([
      ["transactions", "better"],
      ["latencyP50", "worse"],
      ["latencyP99", "worse"],
      ["clientCpu", "worse"],
    ]);
    expect((await compare(next, base)).pairs[0]?.metrics.map(({ verdict }) => verdict)).toEqual([
      "worse",
      "better",
      "better",
      "better",
    ]);
  });

  it("show no difference where one would have been seen, and are too noisy elsewhere", async () => {
    expect(await judge(ofRates(99, 100, 101), ofRates(99.5, 100.5, 101.5))).toMatchObject({
      verdict: "noDifferenceShown",
    });
    const noisy = await judge(ofRates(80, 100, 120), ofRates(85, 105, 125));
    expect(noisy).toMatchObject({ verdict: "tooNoisy" });
    // As many runs more of the same spread bring it down to the resolution of 5 %.
    const more = noisy.furtherRuns ?? NaN;
    const reach = (runs: number): number => student.quantile(0.975, 2 * runs - 2) * Math.sqrt((2 * 400) / runs);
    expect(reach(3 + more)).toBeLessThanOrEqual(5);
    expect(reach(2 + more)).toBeGreaterThan(5);
  });

  it("need no more further runs than would show the difference that there is", async () => {
    const [base, next] = [ofRates(60, 100, 140), ofRates(100, 140, 180)];
    const { verdict, furtherRuns = NaN } = await judge(base, next);
    expect(verdict).toBe("tooNoisy");
    // Further runs that keep mean and spread: in turn 40 below and 40 above.
    const longer = (mean: number, further: number): Result =>
      ofRates(
        mean - 40,
        mean,
        mean + 40,
        ...Array.from({ length: further }, (_, i) => mean + (i % 2 === 0 ? -40 : 40)),
      );
    expect((await judge(longer(100, furtherRuns + 2), longer(140, furtherRuns + 2))).verdict).toBe("better");
    expect((await judge(longer(100, furtherRuns - 3), longer(140, furtherRuns - 3))).verdict).toBe("tooNoisy");
  });

  it("take the regression that is looked for as the resolution", async () => {
    const [base, next] = [ofRates(98, 100, 102), ofRates(97, 100, 103)];
    expect(await judge(base, next, { failOnRegressionPct: 10 })).toMatchObject({ verdict: "noDifferenceShown" });
    expect(await judge(base, next, { failOnRegressionPct: 1 })).toMatchObject({
      verdict: "tooNoisy",
      regression: false,
    });
  });

  it("have a wider interval at a higher confidence", async () => {
    const widths: number[] = [];
    for (const confidence of [0.5, 0.95, 0.99]) {
      const { interval } = await judge(ofRates(99, 100, 101), ofRates(101, 102, 103), { confidence });
      widths.push((interval?.highPct ?? NaN) - (interval?.lowPct ?? NaN));
    }
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(new Set(widths).size).toBe(3);
  });
});

describe("a regression", () => {
  it("is shown when the whole interval lies beyond the threshold", async () => {
    const [base, next] = [ofRates(99, 100, 101), ofRates(89, 90, 91)];
    const { interval, verdict } = await judge(base, next);
    const leastLoss = -(interval?.highPct ?? NaN);
    expect(verdict).toBe("worse");
    expect(leastLoss > 5 && leastLoss < 10).toBe(true);
    for (const [threshold, regression] of [
      [leastLoss - 0.01, true],
      [leastLoss + 0.01, false],
    ] as const) {
      const comparison = await compare(base, next, { failOnRegressionPct: threshold });
      expect(metricOf(comparison, "transactions").regression).toBe(regression);
      expect(comparison.regressions).toBe(regression ? 1 : 0);
    }
  });

  it("is none where nothing differs, even at 0 %", async () => {
    const same = ofRates(100, 100, 100);
    expect(await compare(same, same, { failOnRegressionPct: 0 })).toMatchObject({ regressions: 0 });
    expect(await judge(same, same)).toMatchObject({ verdict: "noDifferenceShown", differencePct: 0 });
  });

  it("is not told where it was not asked for", async () => {
    expect(await judge(ofRates(99, 100, 101), ofRates(89, 90, 91))).not.toHaveProperty("regression");
  });
});

describe("over many simulated comparisons", () => {
  async function simulate(trials: number, change: number, options: CompareOptions = {}) {
    const random = normals(20250102);
    const side = (runs: number, mean: number, spread: number): Result =>
      ofRates(...Array.from({ length: runs }, () => mean + spread * random()));
    const found: MetricComparison[] = [];
    for (let trial = 0; trial < trials; trial++) {
      found.push(await judge(side(4, 1000, 20), side(6, 1000 * (1 + change), 45), options));
    }
    return (holds: (metric: MetricComparison) => boolean): number => found.filter(holds).length / trials;
  }

  it("the interval holds the truth as often as it says, with unequal spreads and few runs", async () => {
    const share = await simulate(600, 0.08);
    // 95 % with a standard error of 0.9 %.
    const covered = share(({ interval }) => interval !== undefined && interval.lowPct <= 8 && 8 <= interval.highPct);
    expect(covered).toBeGreaterThan(0.92);
    expect(covered).toBeLessThan(0.975);
  });

  it("where there is no difference, about 5 % show one and hardly any a regression", async () => {
    const share = await simulate(600, 0, { failOnRegressionPct: 3 });
    const wrong = share(({ verdict }) => verdict === "better" || verdict === "worse");
    expect(wrong).toBeGreaterThan(0.025);
    expect(wrong).toBeLessThan(0.08);
    expect(share(({ regression }) => regression === true)).toBeLessThan(0.005);
  });

  it("a regression of exactly the threshold is told in one of forty", async () => {
    const share = await simulate(600, -0.05, { failOnRegressionPct: 5 });
    const told = share(({ regression }) => regression === true);
    expect(told).toBeGreaterThan(0.007);
    expect(told).toBeLessThan(0.045);
  });
});

describe("single runs", () => {
  const times = (scale: number): number[] => Array.from({ length: 2000 }, (_, i) => Math.round(scale * (1 + i / 2000)));

  it("say nothing of rates, and of percentiles what their own transactions tell", async () => {
    const comparison = await compare(single(times(20_000)), single(times(30_000)));
    expect(metricOf(comparison, "transactions")).toMatchObject({ verdict: "notRepeated" });
    expect(metricOf(comparison, "transactions")).not.toHaveProperty("interval");
    expect(metricOf(comparison, "clientCpu")).toMatchObject({ verdict: "notRepeated" });
    const { interval, verdict } = metricOf(comparison, "latencyP50");
    expect(verdict).toBe("worse");
    expect(interval?.method).toBe("bootstrap");
    expect(interval?.lowPct).toBeLessThan(50);
    expect(interval?.highPct).toBeGreaterThan(50);
  });

  it("show no difference from themselves", async () => {
    const one = single(times(20_000));
    const comparison = await compare(one, one, { failOnRegressionPct: 3 });
    expect(comparison.regressions).toBe(0);
    expect(metricOf(comparison, "latencyP50").verdict).toBe("noDifferenceShown");
  });

  it("against several say nothing", async () => {
    const { interval, verdict } = await judge(single(times(20_000)), ofRates(99, 100, 101));
    expect([interval, verdict]).toEqual([undefined, "notRepeated"]);
  });

  it("count as the runs of one test where a set has several", async () => {
    const three = [1, 1.01, 0.99].map((scale) => single(times(20_000 * scale)));
    const comparison = await compare(three, [...three, single(times(20_000))]);
    expect(comparison.pairs.map(({ runs }) => runs)).toEqual([{ base: 3, new: 4 }]);
    expect(metricOf(comparison, "latencyP99").interval?.method).toBe("welch");
  });

  it("are refused where the histogram cannot be read", async () => {
    const broken = single(times(20_000));
    broken.latency!.hdr = "HISTFAAAA";
    await expect(compare(single(times(20_000)), broken)).rejects.toMatchObject({
      code: "ERR_INVALID_OPTION",
      message: expect.stringMatching(/^new: latency\.hdr: expected an HdrHistogram/) as string,
    });
  });
});

describe("pairs", () => {
  const of = (test: TestName, changes: Partial<ResolvedSpec> = {}): Result =>
    buildResult({ ...rawRun(test), spec: spec(test, changes) });

  it("are told apart by what varies within a set, and joined where one option was changed between the two", async () => {
    const small = of("tcp_rr", { requestBytes: 1 });
    const large = of("tcp_rr", { requestBytes: 1024 });
    const { pairs, unpaired } = await compare([small, large], [large]);
    expect(pairs.map(({ options }) => options)).toEqual([{ requestBytes: 1024 }]);
    expect(unpaired).toEqual({ base: [{ test: "tcp_rr", flows: 2, options: { requestBytes: 1 } }], new: [] });
    const changed = await compare(small, of("tcp_rr", { requestBytes: 1, engine: "epoll" }));
    expect(changed.pairs.map((pair) => pair.changed)).toEqual([[{ path: "spec.engine", base: "auto", new: "epoll" }]]);
  });

  it("need the same test and the same number of flows", async () => {
    const { pairs, unpaired } = await compare(
      [of("tcp_rr"), of("tcp_crr")],
      [of("tcp_rr", { flows: 8 }), of("tcp_crr")],
    );
    expect(pairs.map(({ test }) => test)).toEqual(["tcp_crr"]);
    expect(unpaired).toEqual({ base: [{ test: "tcp_rr", flows: 2 }], new: [{ test: "tcp_rr", flows: 8 }] });
  });

  it("do not mind how often, how closely watched or where it was run", async () => {
    const elsewhere = of("tcp_rr", {
      host: "other",
      port: 1,
      dataPort: 2,
      intervalNs: 1e9,
      runs: 5,
      bind: ["10.0.0.1"],
    });
    const { pairs } = await compare(of("tcp_rr"), elsewhere);
    expect(pairs.map(({ changed }) => changed)).toEqual([[]]);
  });

  it("name what differs between hosts and engines, and the warnings of both", async () => {
    const raw = rawRun("tcp_rr", {}, { host: host({ kernel: "Linux 6.9.0", governor: "powersave" }), engine: "epoll" });
    const next = { ...buildResult(raw), warnings: [{ code: "STEAL", message: "", advice: "" }] };
    const { pairs } = await compare(of("tcp_rr"), next);
    expect(pairs[0]?.changed).toEqual([
      { path: "engine.remote", base: "block", new: "epoll" },
      { path: "host.remote.kernel", base: "Linux 6.8.0", new: "Linux 6.9.0" },
      { path: "host.remote.governor", new: "powersave" },
    ]);
    expect(pairs[0]?.warnings).toEqual({ base: [], new: ["STEAL"] });
  });

  it("leave out what has no completed run, and take the completed runs of what was cut short", async () => {
    const cut: Result = { ...ofRates(99, 100, 101), state: "aborted" };
    const nothing: Result = { ...of("tcp_stream"), state: "failed" };
    const { pairs, unusable } = await compare([cut, nothing], [ofRates(99, 100, 101), nothing, nothing]);
    expect(pairs.map(({ runs }) => runs)).toEqual([{ base: 3, new: 3 }]);
    expect(unusable).toEqual({ base: 1, new: 2 });
  });
});

describe("the document", () => {
  it("is as its schema says, and survives JSON", async () => {
    const all = [
      await compare(ofRates(99, 100, 101), ofRates(80, 100, 120), { failOnRegressionPct: 3, confidence: 0.9 }),
      await compare(single([1000, 2000]), single([1500], { engine: "spin" })),
      await compare([single([5]), single([6], { burst: 3 })], []),
      await compare(ofRates(0, 1), ofRates(0, 0)),
    ];
    for (const comparison of all) {
      expect(schemaProblems("comparison", comparison)).toEqual([]);
      expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
    }
  });

  it.each([
    [{ confidence: 1 }, "confidence: expected a number from 0.5 to 0.99, got 1"],
    [{ confidence: NaN }, "confidence: expected a number from 0.5 to 0.99, got NaN"],
    [{ failOnRegressionPct: -1 }, "failOnRegressionPct: expected a number from 0 to 100, got -1"],
  ])("is refused for %j", async (options, message) => {
    await expect(compare([], [], options)).rejects.toMatchObject({ code: "ERR_INVALID_OPTION", message });
  });
});
