import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildResult } from "../../../src/result/build.js";
import { flowColumns } from "../../../src/result/flows.js";
import type { Result } from "../../../src/result/model.js";
import type { RawRun } from "../../../src/result/raw.js";
import { counters, cpuUse, end, flow, histogram, noErrors, rawRun, spec, tcpInfo } from "./fixtures.js";
import { schemaProblems } from "./schema-problems.js";

/** Builds, and holds what every result must hold. */
function build(raw: RawRun): Result {
  const result = buildResult(raw);
  expect(schemaProblems("result", result)).toEqual([]);
  expect(undefinedPaths(result)).toEqual([]);
  return result;
}

/** What does not apply is absent, not undefined: consumers look with `in` as well. */
function undefinedPaths(value: unknown, path = "result"): string[] {
  if (value === undefined) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => undefinedPaths(inner, `${path}.${name}`));
}

function without(raw: RawRun, changes: Partial<RawRun> = {}): RawRun {
  const { remote: _gone, ...rest } = raw;
  return { ...rest, ...changes };
}

const streamEnd = (bytesSent: number, bytesReceived: number, windowNs: number) => ({
  windowNs,
  counters: counters({ bytesSent, bytesReceived }),
  flows: flowColumns([
    flow({
      bytesSent: bytesSent / 2,
      bytesReceived: bytesReceived / 2,
      cpu: 3,
      tcpInfo: tcpInfo({ cwndPackets: 1 + bytesSent }),
      incomingCpu: 1,
    }),
    flow({ bytesSent: bytesSent / 2, bytesReceived: bytesReceived / 2, cpu: -1, tcpInfo: tcpInfo(), incomingCpu: -1 }),
  ]),
});

describe("a STREAM result", () => {
  const raw = () => rawRun("tcp_stream", streamEnd(4000, 0, 2e9), streamEnd(0, 3000, 1e9));

  it("has the receiver's bytes over the receiver's window as goodput, the sender's figure beside it", () => {
    const result = build(raw());
    expect(result.throughput).toEqual({
      bitsPerSecond: 24_000,
      bytes: 3000,
      sender: { bitsPerSecond: 16_000, bytes: 4000 },
    });
    expect(result.window).toEqual({ durationNs: 2e9, remoteDurationNs: 1e9 });
    expect(result).not.toHaveProperty("transactions");
    expect(result).not.toHaveProperty("latency");
    expect(result).not.toHaveProperty("connections");
  });

  it("has flows that add up, with the sender's TCP_INFO and the CPU of both ends", () => {
    const { flows, throughput } = build(raw());
    expect(flows).toEqual([
      {
        bytes: 1500,
        sentBytes: 2000,
        cpu: 3,
        remoteCpu: 3,
        incomingCpu: 1,
        remoteIncomingCpu: 1,
        tcpInfo: tcpInfo({ cwndPackets: 4001 }),
      },
      { bytes: 1500, sentBytes: 2000, tcpInfo: tcpInfo() },
    ]);
    expect(build(raw()).workers).toMatchObject({ local: { incoming: [{ cpu: 1, flows: 1 }] } });
    expect(flows.reduce((sum, one) => sum + (one.bytes ?? 0), 0)).toBe(throughput?.bytes);
    expect(flows.reduce((sum, one) => sum + (one.sentBytes ?? 0), 0)).toBe(throughput?.sender?.bytes);
  });

  it("has the server as the sender for MAERTS", () => {
    const zerocopy = { requestedBytes: 9, zeroCopiedBytes: 9, copiedBytes: 0 };
    const rxZerocopy = { mappedBytes: 2000, copiedBytes: 1000 };
    const ends = [
      { ...streamEnd(0, 3000, 1e9), rxZerocopy },
      { ...streamEnd(4000, 0, 2e9), zerocopy },
    ] as const;
    const result = build(rawRun("tcp_maerts", ...ends));
    expect(result.throughput).toEqual({
      bitsPerSecond: 24_000,
      bytes: 3000,
      sender: { bitsPerSecond: 16_000, bytes: 4000 },
    });
    expect(result.flows[0]?.tcpInfo?.cwndPackets).toBe(4001);
    expect(result.zerocopy).toEqual(zerocopy);
    expect(result.rxZerocopy).toEqual(rxZerocopy);
  });

  it("falls back on the sender's figure without the receiver's report, and gives no goodput", () => {
    const result = build(without(raw(), { state: "failed", error: { code: "ERR_PEER_LOST", message: "gone" } }));
    expect(result.throughput).toEqual({ sender: { bitsPerSecond: 16_000, bytes: 4000 } });
    expect(result.flows[0]).toEqual({
      sentBytes: 2000,
      cpu: 3,
      incomingCpu: 1,
      tcpInfo: tcpInfo({ cwndPackets: 4001 }),
    });
    expect(result.error).toEqual({ code: "ERR_PEER_LOST", message: "gone" });
    expect(result.cpu).not.toHaveProperty("serviceDemand");
    for (const section of ["cpu", "host", "workers", "engine", "socket", "totals"] as const) {
      expect(result[section]).not.toHaveProperty("remote");
    }
  });

  it("still has the goodput of MAERTS without the server's report", () => {
    const result = build(without(rawRun("tcp_maerts", streamEnd(0, 3000, 1e9))));
    expect(result.throughput).toEqual({ bitsPerSecond: 24_000, bytes: 3000 });
  });
});

describe("an RR result", () => {
  const values = [1000, 2000, 3000, 4000];
  const raw = () =>
    rawRun("tcp_rr", {
      windowNs: 2e9,
      counters: counters({ transactions: values.length }),
      latency: histogram(values),
      flows: flowColumns([flow({ transactions: 3 }), flow({ transactions: 1, cpu: -1 })]),
    });

  it("has the client's transactions and round trips", () => {
    const result = build(raw());
    expect(result.transactions).toEqual({ count: 4, perSecond: 2 });
    expect(result.latency).toMatchObject({ kind: "rtt", count: 4, minNs: 1000, meanNs: 2500, maxNs: 4000 });
    expect(result.flows.map((one) => one.transactions)).toEqual([3, 1]);
    expect(result).not.toHaveProperty("throughput");
    expect(result).not.toHaveProperty("connectLatency");
  });

  it("has no rates when the window never opened", () => {
    const result = build(rawRun("tcp_rr", { windowNs: 0, latency: histogram([]) }, { windowNs: 0 }));
    for (const absent of ["transactions", "latency", "throughput"]) expect(result).not.toHaveProperty(absent);
    expect(result.cpu).not.toHaveProperty("normalized");
    expect(result.workers.local).not.toHaveProperty("busyCores");
  });

  it("has no demand per transaction when there was no transaction", () => {
    const result = build(rawRun("tcp_rr", { latency: histogram([]) }));
    expect(result.transactions).toEqual({ count: 0, perSecond: 0 });
    expect(result).not.toHaveProperty("latency");
    expect(Object.keys(result.cpu).sort()).toEqual(["local", "remote"]);
  });
});

describe("a CRR result", () => {
  it("has connections, their errors, and three latencies", () => {
    const errors = { ...noErrors, portsExhausted: 3 };
    const result = build(
      rawRun(
        "tcp_crr",
        {
          counters: counters({ transactions: 2, connections: 3, connectErrors: errors }),
          latency: histogram([3000, 4000]),
          connectLatency: histogram([1000, 1500]),
          requestLatency: histogram([2000, 2500]),
          flows: flowColumns([flow({ transactions: 2, connectErrors: errors })]),
        },
        // The server's rows are its workers: more or fewer than the client's flows.
        { flows: flowColumns([flow({ cpu: 7 }), flow({ cpu: 8 }), flow({ cpu: 9 })]) },
      ),
    );
    expect(result.transactions).toEqual({ count: 2, perSecond: 0.2 });
    expect(result.connections).toEqual({ count: 3, perSecond: 0.3, errors });
    expect([result.latency, result.connectLatency, result.requestLatency].map((one) => one?.kind)).toEqual([
      "transaction",
      "connect",
      "request",
    ]);
    expect(result.flows).toEqual([{ transactions: 2, connectErrors: errors, cpu: 0 }]);
  });
});

describe("CPU per unit of work", () => {
  const use = { cpu: cpuUse(1, 1, 0, 0) };
  const other = { cpu: cpuUse(0.5, 0, 0, 0) };

  it("is ns per KiB of 1024 bytes and cores at 100 Gbit/s for STREAM", () => {
    // 10 Gbit/s over 1 s: 1.25e9 bytes, 1220703.125 KiB; 2 cores burn 2e9 ns.
    const { cpu } = build(rawRun("tcp_stream", use, { ...streamEnd(0, 1.25e9, 1e9), ...other }));
    expect(cpu.serviceDemand?.local?.nsPerKiB).toBeCloseTo(2e9 / 1220703.125, 6);
    expect(cpu.serviceDemand?.remote?.nsPerKiB).toBeCloseTo(0.5e9 / 1220703.125, 6);
    expect(cpu.normalized).toEqual({
      target: 100e9,
      unit: "bitsPerSecond",
      method: "linear-extrapolation",
      localCores: 20,
      remoteCores: 5,
    });
  });

  it.each([
    ["tcp_rr", 1e6, "transactionsPerSecond"],
    ["tcp_crr", 250e3, "connectionsPerSecond"],
  ] as const)("is ns per transaction and cores at the target for %s", (test, target, unit) => {
    const local = { ...use, windowNs: 1e9, counters: counters({ transactions: 50_000 }) };
    const { cpu } = build(rawRun(test, local, { ...other, windowNs: 1e9 }));
    expect(cpu.serviceDemand).toEqual({ local: { nsPerTransaction: 40_000 }, remote: { nsPerTransaction: 10_000 } });
    expect(cpu.normalized).toMatchObject({
      target,
      unit,
      localCores: (2 * target) / 50_000,
      remoteCores: (0.5 * target) / 50_000,
    });
  });

  it.each(["tcp_stream", "tcp_rr", "tcp_crr"] as const)("is stated at the rate asked for (%s)", (test) => {
    const raw = rawRun(
      test,
      { ...use, windowNs: 1e9, counters: counters({ transactions: 1000, bytesSent: 126 }) },
      { ...streamEnd(0, 126, 1e9), ...other },
    );
    const { cpu } = build({ ...raw, spec: { ...raw.spec, cpuAtPerSecond: 4032 } });
    expect(cpu.normalized).toMatchObject({ target: 4032, localCores: test === "tcp_stream" ? 8 : 8.064 });
  });

  it("leaves out the end whose CPU is unknown", () => {
    const { cpu } = build(rawRun("tcp_rr", { ...use, counters: counters({ transactions: 10 }) }, { cpu: undefined }));
    expect(cpu).not.toHaveProperty("remote");
    expect(cpu.serviceDemand).toEqual({ local: { nsPerTransaction: 2e9 } });
    expect(cpu.normalized).not.toHaveProperty("remoteCores");
  });

  it("is absent when neither end's CPU is known", () => {
    const none = { cpu: undefined };
    const { cpu } = build(rawRun("tcp_rr", { ...none, counters: counters({ transactions: 10 }) }, none));
    expect(cpu).toEqual({});
  });
});

describe("the rest of a result", () => {
  it("is passed on as it came", () => {
    const given = { code: "PORT_BUDGET", message: "m", advice: "a" };
    const intervals = [{ startNs: 0, durationNs: 1 }];
    const total = counters({ bytesSent: 7 });
    const result = build({
      ...rawRun("tcp_rr", { total, cpus: [1, -1], workerCpuNs: 5e9 }),
      warnings: [given],
      intervals,
    });
    expect(result).toMatchObject({
      schema: "cnb-load/result/1",
      state: "completed",
      test: "tcp_rr",
      spec: spec("tcp_rr"),
      intervals,
    });
    expect(result.warnings).toContainEqual(given);
    expect(result.warnings).toContainEqual(expect.objectContaining({ code: "UNPINNED" }));
    expect(result.totals.local).toEqual(total);
    expect(result.workers).toEqual({
      local: { count: 2, cpus: [1], busyCores: 0.5 },
      remote: { count: 2, cpus: [0, 1], busyCores: 0.8 },
    });
  });

  it("has an error only when the run failed", () => {
    const error = { code: "ERR_TRAFFIC", message: "reset" };
    expect(build({ ...rawRun("tcp_rr"), state: "aborted", error })).not.toHaveProperty("error");
    expect(build({ ...rawRun("tcp_rr"), state: "failed", error }).error).toEqual(error);
  });
});

describe("any run", () => {
  const amount = fc.nat(2 ** 31 - 1);
  const anyEnd = fc
    .record({
      windowNs: fc.constantFrom(0, 1, 1e9, 36e11),
      sent: amount,
      received: amount,
      busy: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 4 }),
      known: fc.boolean(),
      cpus: fc.array(fc.integer({ min: -1, max: 5 }), { minLength: 1, maxLength: 4 }),
      copied: fc.option(amount, { nil: undefined }),
    })
    .map(({ windowNs, sent, received, busy, known, cpus, copied }) =>
      end({
        windowNs,
        counters: counters({ bytesSent: sent, bytesReceived: received }),
        cpu: known ? cpuUse(...busy) : undefined,
        workers: cpus.length,
        cpus,
        ...(copied !== undefined && { zerocopy: { requestedBytes: copied, zeroCopiedBytes: 0, copiedBytes: copied } }),
      }),
    );

  it("gives a valid result whose counts add up", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"),
        fc.constantFrom("completed", "aborted", "failed"),
        anyEnd,
        fc.option(anyEnd, { nil: undefined }),
        fc.array(fc.integer({ min: 1, max: 1e9 }), { maxLength: 20 }),
        fc.boolean(),
        (test, state, local, remote, values, sameHost) => {
          const transactions = values.length;
          const result = build({
            ...without(rawRun(test), { state, sameHost }),
            local: {
              ...local,
              counters: { ...local.counters, transactions },
              ...(test !== "tcp_stream" && test !== "tcp_maerts" && { latency: histogram(values) }),
            },
            remote,
          });
          if (result.latency && result.transactions) expect(result.latency.count).toBe(result.transactions.count);
          for (const warning of result.warnings) expect(warning.message).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
    );
  });
});
