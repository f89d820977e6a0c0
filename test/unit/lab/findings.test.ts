import { describe, expect, it } from "vitest";
import { findingsOf, meltdownText, outcomeOf, outcomesOf, paragraphOf, sentenceOf } from "../../../src/lab/findings.js";
import type { MetricComparison } from "../../../src/result/model.js";
import { labOf, measurement, pathReport, rrRun } from "./documents.js";

const CELL = { test: "rr", flows: 1 } as const;

function metric(changes: Partial<MetricComparison> = {}): MetricComparison {
  return {
    ...{ metric: "clientCpu", unit: "nsPerTransaction", direction: "lowerIsBetter", base: 100, new: 80 },
    ...{ differencePct: -20, verdict: "better" },
    interval: { lowPct: -25, highPct: -14, method: "welch", degreesOfFreedom: 4 },
    ...changes,
  };
}

describe("a sentence", () => {
  it.each([
    ["better", "0.80 times the client node's CPU per request (0.75 to 0.86)"],
    ["worse", "0.80 times the client node's CPU per request (0.75 to 0.86)"],
    ["noDifferenceShown", "no difference shown in the client node's CPU per request (0.75 to 0.86)"],
    ["tooNoisy", "no difference shown in the client node's CPU per request, too noisy to tell (0.75 to 0.86)"],
    ["notRepeated", "0.80 times the client node's CPU per request in one run each, which tells nothing"],
  ] as const)("of the verdict %s claims what that does", (verdict, text) => {
    expect(sentenceOf("rr", metric({ verdict }))).toBe(text);
  });

  it("names what the test counts, and no ratio below nothing", () => {
    expect(sentenceOf("stream", metric({ metric: "serverCpu" }))).toContain("server node's CPU per byte");
    expect(sentenceOf("crr", metric({ metric: "transactions" }))).toContain("rate of connections");
    const wide = metric({
      verdict: "tooNoisy",
      interval: { lowPct: -300, highPct: 900, method: "welch", degreesOfFreedom: 2 },
    });
    expect(sentenceOf("rr", wide)).toContain("(0 to 10.00)");
    const few = metric({ differencePct: -98.7, verdict: "better" });
    expect(sentenceOf("rr", few)).toContain("0.013 times");
    const { interval: _interval, ...without } = metric({ verdict: "tooNoisy" });
    expect(sentenceOf("rr", without)).toContain("(unbounded)");
  });
});

it("a paragraph has what is shown first, and every metric once", () => {
  const metrics = [
    metric({ metric: "latencyP99", verdict: "tooNoisy" }),
    metric({ metric: "latencyP50", verdict: "noDifferenceShown" }),
    metric(),
  ];
  expect(paragraphOf({ base: "a", next: "b", about: "why" }, { test: "rr", flows: 32 }, metrics)).toBe(
    "b against a (why), 32 flows, 95 % intervals in brackets: 0.80 times the client node's CPU per request (0.75 to 0.86); " +
      "no difference shown in median latency (0.75 to 0.86); " +
      "no difference shown, as too noisy to tell, in 99th percentile of latency (0.75 to 0.86).",
  );
});

describe("findings", () => {
  it("show a difference that every run has, the right way round", async () => {
    const lab = labOf([
      measurement("ebpf-legacy", [1000, 1010, 990]),
      measurement("ebpf-host-routing", [1500, 1510, 1490]),
    ]);
    const [finding, ...others] = await findingsOf(lab, [CELL]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ base: "ebpf-legacy", next: "ebpf-host-routing" });
    expect(finding?.text).toMatch(/: 1\.50 times the rate of requests \(1\.4\d to 1\.5\d\)/);
    expect(outcomesOf(finding === undefined ? [] : [finding])[0]).toMatchObject({ outcome: "seen", flows: 1 });
  });

  it("show none where the runs overlap", async () => {
    const rates = [1000, 1010, 990, 1005];
    const lab = labOf([measurement("ebpf-legacy", rates), measurement("ebpf-host-routing", rates)]);
    const [finding] = await findingsOf(lab, [CELL]);
    expect(finding?.text).toContain("no difference shown in rate of requests");
    expect(outcomesOf(finding === undefined ? [] : [finding])[0]?.outcome).toBe("not seen");
  });

  it("leave out what was not measured", async () => {
    expect(await findingsOf(labOf([measurement("node", [1000, 1001])]), [CELL])).toEqual([]);
  });

  it("never hold encryption in the kernel against encryption in user space, and name what each is", async () => {
    const measured = [measurement("wireguard", [1000, 1010]), measurement("ipsec", [500, 510])];
    const kernel = pathReport("wireguard", { variant: "kernel" });
    const user = pathReport("ipsec", { variant: "user space (strongSwan's kernel-libipsec)" });
    expect(await findingsOf(labOf(measured, { paths: [kernel, user] }), [CELL])).toEqual([]);
    const both = [pathReport("wireguard", { variant: "user space (wireguard-go)" }), user];
    const [finding] = await findingsOf(labOf(measured, { paths: both }), [CELL]);
    expect(finding?.text).toContain("wireguard in user space (wireguard-go); ipsec in user space");
  });
});

it("an ordering is seen, not seen, or the opposite is", () => {
  expect(outcomeOf("better", "better")).toBe("seen");
  expect(outcomeOf("worse", "better")).toBe("the opposite is seen");
  expect(outcomeOf("better", "tooNoisy")).toBe("not seen");
  expect(outcomeOf("better", "noDifferenceShown")).toBe("not seen");
});

it("the melt-down is told from the ends of its curve", () => {
  const point = { earlyDropped: 0, failed: 0, path: "iptables" };
  const points = [
    { ...point, fill: 0, entries: 0, dropped: 0, results: [rrRun(1000), rrRun(3000)] },
    { ...point, fill: 1, entries: 99, dropped: 7, failed: 1, results: [rrRun(20)] },
  ];
  const meltdown = { max: 100, buckets: 50, flows: 4, points };
  expect(meltdownText(labOf([], { meltdown }))).toBe(
    "iptables: with the table full, 1.0 % of the rate with an empty one is left (1 of its runs did not even end); 7 packets found no room in the table.",
  );
  expect(meltdownText(labOf([]))).toBeUndefined();
});
