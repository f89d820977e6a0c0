import { describe, expect, it } from "vitest";
import { buildResult } from "../../../src/result/build.js";
import { flowColumns } from "../../../src/result/flows.js";
import { decodeHdr } from "../../../src/result/hdr-decode.js";
import type { CpuUsage, Interval, Result } from "../../../src/result/model.js";
import type { LocalEnd } from "../../../src/result/raw.js";
import { isNarrow, summarizeRuns } from "../../../src/result/repeat.js";
import { halfWidth, loadStudentT, sampleOf } from "../../../src/result/statistics.js";
import { counters, cpuUse, flow, histogram, noErrors, rawRun, tcpInfo } from "./fixtures.js";
import { schemaProblems } from "./schema-problems.js";

const student = await loadStudentT();

/** An RR run of 10 s with these latencies, each of which stands for a thousand transactions. */
function rr(values: readonly number[], local: Partial<LocalEnd> = {}, cpu: CpuUsage = cpuUse(0.5, 0.5)): Result {
  const transactions = values.length * 1000;
  const all = values.flatMap((value) => new Array<number>(1000).fill(value));
  const end = { windowNs: 10e9, counters: counters({ transactions }), cpu };
  return buildResult(
    rawRun(
      "tcp_rr",
      { ...end, latency: histogram(all), flows: flowColumns([flow({ transactions, tcpInfo: tcpInfo() })]), ...local },
      end,
    ),
  );
}

async function summarize(
  results: readonly Result[],
  ...rest: Parameters<typeof summarizeRuns> extends [unknown, ...infer R] ? R : never
) {
  const result = await summarizeRuns(results, ...rest);
  expect(schemaProblems("result", result)).toEqual([]);
  return result;
}

describe("several runs made into one result", () => {
  const runs = [rr([100_000, 200_000]), rr([100_000, 300_000, 400_000]), rr([100_000])];

  it("have the mean of the rates with its interval, and the sum of the counts", async () => {
    const result = await summarize(runs);
    expect(result.transactions).toEqual({ count: 6000, perSecond: 200 });
    expect(result.window).toEqual({ durationNs: 30e9, remoteDurationNs: 30e9 });
    const reach = halfWidth(sampleOf([200, 300, 100]), student) ?? NaN;
    expect(result.repeat).toEqual({
      runs: 3,
      meanPerSecond: 200,
      confidence: 0.95,
      halfWidthPct: (reach / 200) * 100,
    });
    expect(result.totals.local).toEqual(counters());
    expect(result.flows).toEqual([
      { transactions: 6000, cpu: 0, remoteCpu: 0, tcpInfo: tcpInfo({ busyNs: 27e9, rwndLimitedNs: 3e9 }) },
    ]);
  });

  it("keep every transaction in one histogram", async () => {
    const { latency } = await summarize(runs);
    const all = [100_000, 200_000, 100_000, 300_000, 400_000, 100_000].flatMap((value) =>
      new Array<number>(1000).fill(value),
    );
    expect(latency).toMatchObject({ kind: "rtt", count: 6000, minNs: 100_000, maxNs: 400_000, meanNs: 200_000 });
    if (latency === undefined) expect.fail("no latency");
    const merged = await decodeHdr(latency);
    expect(merged.first).toBe(histogram(all).first);
    expect(Buffer.from(Float64Array.from(merged.counts).buffer)).toEqual(
      Buffer.from(Float64Array.from(histogram(all).counts).buffer),
    );
  });

  it("keep each run's own figures", async () => {
    const { runs: kept } = await summarize(runs);
    expect(kept?.map(({ perSecond }) => perSecond)).toEqual([200, 300, 100]);
    expect(kept?.[1]).toEqual({
      startedAt: "2025-01-02T03:04:05.678Z",
      durationNs: 10e9,
      perSecond: 300,
      latency: {
        p50Ns: runs[1]?.latency?.p50Ns,
        p90Ns: runs[1]?.latency?.p90Ns,
        p99Ns: runs[1]?.latency?.p99Ns,
        p99_9Ns: runs[1]?.latency?.p99_9Ns,
      },
      cpu: {
        local: { busyCores: 1, nsPerTransaction: 1e9 / 300 },
        remote: { busyCores: 1, nsPerTransaction: 1e9 / 300 },
      },
    });
  });

  it("have the mean of the CPU use, and what it costs at the mean rate", async () => {
    const cgroup = (usageCores: number) => ({ usageCores, throttledNs: 5, throttledPeriods: 1 });
    const result = await summarize([
      rr([1000], {}, { ...cpuUse(1, 0.5), cgroup: cgroup(1) }),
      rr([1000, 1000, 1000], {}, { ...cpuUse(0.5, 0.2), cgroup: cgroup(3) }),
    ]);
    expect(result.cpu.local).toMatchObject({
      cpus: 2,
      busyCores: expect.closeTo(1.1, 12) as number,
      utilization: expect.closeTo(0.55, 12) as number,
      cgroup: { usageCores: 2, throttledNs: 10, throttledPeriods: 2 },
      perCpu: [
        { cpu: 0, busyCores: 0.75 },
        { cpu: 1, busyCores: 0.35 },
      ],
    });
    expect(result.cpu.serviceDemand?.local?.nsPerTransaction).toBeCloseTo(1.1e9 / 200, 3);
  });

  it("add up what they left undone", async () => {
    const behind = (backlog: number): Result => ({ ...rr([1]), openLoop: { backlog } });
    expect((await summarize([behind(3), behind(0), behind(4)])).openLoop).toEqual({ backlog: 7 });
    expect(await summarize([rr([1]), rr([1])])).not.toHaveProperty("openLoop");
  });

  it("number their intervals by run", async () => {
    const interval = (startNs: number): Interval => ({ startNs, durationNs: 5e9 });
    const { intervals } = await summarize([
      { ...rr([1]), intervals: [interval(0), interval(5e9)] },
      { ...rr([1]), intervals: [interval(0)] },
    ]);
    expect(intervals.map(({ run, startNs }) => [run, startNs])).toEqual([
      [1, 0],
      [1, 5e9],
      [2, 0],
    ]);
  });

  it("say how the sequence ended", async () => {
    const result = await summarize(runs.slice(0, 2), {
      state: "failed",
      error: { code: "ERR_PEER_LOST", message: "gone" },
    });
    expect(result).toMatchObject({ state: "failed", error: { code: "ERR_PEER_LOST" }, repeat: { runs: 2 } });
    expect(await summarize(runs)).not.toHaveProperty("error");
  });

  it("say nothing of the mean's interval for a single run, nor of nothing", async () => {
    const single = await summarize(runs.slice(0, 1), { state: "aborted" });
    expect(single.repeat).toEqual({ runs: 1, meanPerSecond: 200, confidence: 0.95 });
    const idle = await summarize([rr([]), rr([])]);
    expect(idle.repeat).toEqual({ runs: 2, meanPerSecond: 0, confidence: 0.95 });
    expect(idle).not.toHaveProperty("latency");
    await expect(summarizeRuns([])).rejects.toThrow(RangeError);
  });

  it("of STREAM have goodput and the sender's figure", async () => {
    const stream = (bytes: number): Result =>
      buildResult(
        rawRun(
          "tcp_stream",
          { windowNs: 1e9, counters: counters({ bytesSent: bytes + 8 }) },
          { windowNs: 1e9, counters: counters({ bytesReceived: bytes }) },
        ),
      );
    const result = await summarize([stream(1000), stream(3000)]);
    expect(result.throughput).toEqual({
      bitsPerSecond: 16_000,
      bytes: 4000,
      sender: { bitsPerSecond: 16_064, bytes: 4016 },
    });
    expect(result.repeat).toMatchObject({ runs: 2, meanBitsPerSecond: 16_000 });
    expect(result.repeat).not.toHaveProperty("meanPerSecond");
    expect(result.runs?.[0]).toMatchObject({ bitsPerSecond: 8000 });
  });

  it("of CRR add connections, their errors and all three latencies", async () => {
    const crr = (refused: number): Result => {
      const connectErrors = { ...noErrors, refused };
      const counted = counters({ transactions: 2, connections: 2, connectErrors });
      const latency = histogram([5000, 7000]);
      const timed = { latency, connectLatency: latency, requestLatency: latency };
      return buildResult(rawRun("tcp_crr", { counters: counted, total: counted, ...timed }));
    };
    const result = await summarize([crr(1), crr(4)]);
    expect(result.connections).toEqual({ count: 4, perSecond: 0.2, errors: { ...noErrors, refused: 5 } });
    expect(result.totals.local.connectErrors.refused).toBe(5);
    expect([result.latency, result.connectLatency, result.requestLatency].map((one) => one?.count)).toEqual([4, 4, 4]);
  });
});

describe("warnings of several runs", () => {
  it("are told once, with how many runs gave rise to them", async () => {
    const warned = (...messages: string[]): Result => ({
      ...rr([1000]),
      warnings: messages.map((message) => ({ code: "STEAL", message, advice: "a" })),
    });
    const { warnings } = await summarize([warned("took 1.5 %", "all the same"), warned("took 2.5 %", "all the same")]);
    expect(warnings.map(({ message }) => message)).toEqual([
      "took 1.5 % (in 2 of 2 runs, with the figures of the first)",
      "all the same",
    ]);
    const [once] = (await summarize([warned(), warned("took 1 %"), warned()])).warnings;
    expect(once?.message).toBe("took 1 % (in 1 of 3 runs)");
  });

  const spread = [rr([1, 1, 1]), rr([1, 1, 1, 1]), rr([1, 1, 1, 1, 1])];

  it("hold WIDE_INTERVAL where the mean is known less well than 5 %, with the runs that would do", async () => {
    const [wide] = (await summarize(spread)).warnings;
    expect(wide?.code).toBe("WIDE_INTERVAL");
    expect(wide?.message).toContain("of 3 runs is known to 62.1 % only");
    // A standard deviation of 25 %: t x 25 / sqrt(n) reaches 5 % at n = (1.98 x 5)^2, about 98.
    expect(wide?.advice).toMatch(/^About 9\d runs .*\(--runs 9\d\)/);
    expect((await summarize([rr([1]), rr([1])])).warnings).toEqual([]);
  });

  it("go by what was asked for", async () => {
    const asked = (untilCiPct: number) => spread.map((result) => ({ ...result, spec: { ...result.spec, untilCiPct } }));
    expect((await summarize(asked(50))).warnings[0]?.advice).toContain("to 50 %");
    expect((await summarize(asked(63))).warnings).toEqual([]);
  });
});

describe("isNarrow", () => {
  it("looks at the half width of the mean's interval", async () => {
    const alike = [rr([1, 1]), rr([1, 1])];
    expect(await isNarrow(alike, 0.1)).toBe(true);
    expect(await isNarrow(alike.slice(1), 50)).toBe(false);
    expect(await isNarrow([rr([1]), rr([1, 1])], 2)).toBe(false);
  });
});
