import { describe, expect, it } from "vitest";
import { renderComparison } from "../../../src/report/comparison.js";
import type { Comparison, MetricComparison } from "../../../src/result/model.js";

const names = { base: "a.json (net A)", new: "b.json" };

function metric(changes: Partial<MetricComparison>): MetricComparison {
  return {
    metric: "transactions",
    unit: "perSecond",
    direction: "higherIsBetter",
    base: 45_678,
    new: 47_120,
    differencePct: 3.157,
    interval: { lowPct: 1.06, highPct: 5.24, method: "welch", degreesOfFreedom: 6.2 },
    verdict: "better",
    ...changes,
  };
}

const latency = { unit: "ns", direction: "lowerIsBetter" } as const;
const cpu = { unit: "nsPerTransaction", direction: "lowerIsBetter" } as const;

const comparison: Comparison = {
  schema: "cnb-load/comparison/1",
  confidence: 0.95,
  resolutionPct: 3,
  failOnRegressionPct: 3,
  pairs: [
    {
      test: "tcp_rr",
      flows: 32,
      options: { requestBytes: 65_536, congestion: "" },
      runs: { base: 5, new: 4 },
      changed: [
        { path: "spec.engine", base: "block", new: "epoll" },
        { path: "spec.threads", base: null, new: 4 },
        { path: "spec.ratePerSecond", base: 0, new: 2000 },
        { path: "spec.coalesce", base: true, new: false },
        { path: "spec.family", base: "any", new: "ipv6" },
        { path: "host.remote.mtuBytes", base: 1500, new: 9000 },
        { path: "host.remote.kernel", base: "Linux 6.8.0", new: "Linux 6.9.0\u001b[2J" },
        { path: "host.local.governor", new: "powersave" },
      ],
      warnings: { base: [], new: ["STEAL", "UNSTEADY"] },
      metrics: [
        metric({}),
        metric({
          metric: "latencyP50",
          ...latency,
          base: 21_500,
          new: 23_900,
          differencePct: 11.16,
          verdict: "worse",
          regression: true,
        }),
        metric({
          metric: "latencyP99",
          ...latency,
          base: 107_500,
          new: 90_000,
          differencePct: -16.3,
          interval: { lowPct: -60.123, highPct: 1234.5, method: "welch", degreesOfFreedom: 4 },
          verdict: "tooNoisy",
          furtherRuns: 12,
        }),
        metric({ metric: "clientCpu", ...cpu, base: 35_000, new: 33_000, differencePct: -5.7, verdict: "better" }),
        metric({
          metric: "serverCpu",
          ...cpu,
          base: 43_000,
          new: 43_010,
          differencePct: 0.023,
          interval: { lowPct: -0.5, highPct: 1.6, method: "welch", degreesOfFreedom: 7 },
          verdict: "noDifferenceShown",
        }),
      ],
    },
    {
      test: "tcp_stream",
      flows: 1,
      runs: { base: 1, new: 1 },
      changed: [],
      warnings: { base: [], new: [] },
      metrics: [
        {
          metric: "throughput",
          unit: "bitsPerSecond",
          direction: "higherIsBetter",
          base: 9.41e9,
          new: 9.4e9,
          differencePct: -0.1,
          verdict: "notRepeated",
        },
      ],
    },
  ],
  unpaired: { base: [{ test: "tcp_crr", flows: 8 }], new: [] },
  unusable: { base: 0, new: 2 },
  regressions: 1,
};

describe("a comparison as text", () => {
  it("is as in its golden file", async () => {
    await expect(renderComparison(comparison, names)).toMatchFileSnapshot("golden/comparison.txt");
  });

  it("is plain, stays within a terminal and has no figure that is none", () => {
    const text = renderComparison(comparison, { base: "\u001b[31ma", new: "b" });
    expect(text).not.toMatch(/undefined|NaN|Infinity|\[object/);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
    for (const line of text.split("\n")) {
      expect(line.length).toBeLessThanOrEqual(140);
      expect(line).toBe(line.trimEnd());
    }
  });

  it("writes both ends of an interval to the same digit, numbers in groups, and what 0 stands for", () => {
    const text = renderComparison(comparison, names);
    expect(text).toContain(" -60 % to +1,235 %  ");
    expect(text).toContain(" -0.5 % to +1.6 %  ");
    const line = text.replace(/\n +/g, " ");
    expect(line).toContain("; --rate 2k/s, was off; --coalesce off, was on; family ipv6, was any; ");
    expect(line).toContain("; host.remote.mtuBytes 9,000, was 1,500; ");
  });

  it("says when no number of runs would do", () => {
    const [pair] = comparison.pairs;
    const noisy = { ...metric({ verdict: "tooNoisy" }) };
    const text = renderComparison({ ...comparison, pairs: [{ ...pair!, metrics: [noisy] }] }, names);
    expect(text).toMatch(/too noisy to tell; more runs alone would not do$/m);
  });
});
