/** Whole runs with the real addon: client and server of src/run in one process, over loopback. */
import { Worker } from "node:worker_threads";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type CnbLoadError, type Interval, type Result, type RunOptions, run, serve } from "../../src/index.js";
import { TESTS } from "../../src/options/names.js";
import { type TestName, makesConnections } from "../../src/options/spec.js";
import { descriptors, threadNames } from "../support/processes.js";
import { until } from "../support/until.js";

const SHORT = { duration: 0.3, warmup: 0.05 };

async function against(options: Omit<RunOptions, "port">, signal?: AbortSignal): Promise<Result> {
  await using server = await serve({ host: options.host, port: 0 });
  return await run({ ...SHORT, ...options, port: server.port }, { signal });
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

function checkRequests(result: Result, flows: number): void {
  expect(result.transactions?.count).toBeGreaterThan(0);
  expect(result.latency?.count).toBe(result.transactions?.count);
  expect(sum(result.flows.map(({ transactions }) => transactions))).toBe(result.transactions?.count);
  expect(result.flows).toHaveLength(flows);
  const { minNs = 0, p50Ns = 0, p99Ns = 0, maxNs = 0 } = result.latency ?? {};
  expect(0 < minNs && minNs <= p50Ns && p50Ns <= p99Ns && p99Ns <= maxNs).toBe(true);
}

/** The addon's threads of this process. */
const workers = () => threadNames(process.pid).filter((name) => name.startsWith("cnb-"));

describe("a run over loopback", () => {
  it.each<[string, Omit<RunOptions, "port">]>([
    ["tcp_stream", { test: "tcp_stream", host: "127.0.0.1", flows: 2 }],
    ["tcp_stream over IPv6", { test: "tcp_stream", host: "::1", flows: 1 }],
    ["tcp_stream with zero-copy", { test: "tcp_stream", host: "127.0.0.1", zerocopy: "msg", rx: "trunc" }],
    ["tcp_maerts", { test: "tcp_maerts", host: "127.0.0.1", flows: 2 }],
    ["udp_stream", { test: "udp_stream", host: "127.0.0.1", bandwidth: "20M" }],
    [
      "udp_stream in trains",
      { test: "udp_stream", host: "::1", flows: 3, engine: "epoll", gso: true, gro: true, batch: 4 },
    ],
    ["tcp_maerts with epoll", { test: "tcp_maerts", host: "127.0.0.1", flows: 3, engine: "epoll" }],
  ])("of %s moves bytes", async (_name, options) => {
    const result = await against(options);
    expect(result.state).toBe("completed");
    expect(result.throughput?.bitsPerSecond).toBeGreaterThan(0);
    expect(sum(result.flows.map(({ bytes }) => bytes))).toBe(result.throughput?.bytes);
    const { local, remote } = result.totals;
    const [sent, received] = options.test === "tcp_maerts" ? [remote, local] : [local, remote];
    expect(sent?.bytesSent).toBeGreaterThanOrEqual(received?.bytesReceived ?? Infinity);
    expect(result.zerocopy === undefined).toBe(options.zerocopy === undefined);
  });

  it.each<[string, Omit<RunOptions, "port">]>([
    ["tcp_rr", { test: "tcp_rr", host: "127.0.0.1", flows: 2 }],
    ["tcp_rr over IPv6", { test: "tcp_rr", host: "::1" }],
    ["tcp_rr with a burst", { test: "tcp_rr", host: "127.0.0.1", burst: 7, request: 100, response: 3000 }],
    ["tcp_rr with many flows", { test: "tcp_rr", host: "127.0.0.1", flows: 150 }],
    ["tcp_crr", { test: "tcp_crr", host: "127.0.0.1", flows: 2 }],
    ["tcp_crr with many flows", { test: "tcp_crr", host: "::1", flows: 40 }],
    ["tcp_crr, reset", { test: "tcp_crr", host: "127.0.0.1", close: "reset" }],
    ["tcp_cc", { test: "tcp_cc", host: "127.0.0.1", flows: 2 }],
    ["tcp_cc with many flows, client first", { test: "tcp_cc", host: "::1", flows: 40, close: "client" }],
    ["tcp_cc over io_uring", { test: "tcp_cc", host: "127.0.0.1", flows: 4, engine: "uring" }],
    ["udp_rr", { test: "udp_rr", host: "127.0.0.1", flows: 2 }],
    ["udp_rr with many flows", { test: "udp_rr", host: "::1", flows: 40, burst: 2, request: 100, response: 1000 }],
    ["udp_rr at a rate, spinning", { test: "udp_rr", host: "127.0.0.1", rate: "3k/s", flows: 3, engine: "spin" }],
    ["tcp_rr at a rate", { test: "tcp_rr", host: "127.0.0.1", rate: "5k/s", burst: 1 }],
    ["tcp_rr at a rate, io_uring", { test: "tcp_rr", host: "127.0.0.1", rate: "5k/s", flows: 4, engine: "uring" }],
    ["tcp_crr at a rate", { test: "tcp_crr", host: "127.0.0.1", rate: "1k/s", flows: 3, spacing: "constant" }],
    ["tcp_crr at a rate, spinning", { test: "tcp_crr", host: "::1", rate: "1k/s", flows: 3, engine: "spin" }],
    [
      "tcp_crr, client first, from two addresses",
      { test: "tcp_crr", host: "127.0.0.1", close: "client", bind: ["127.0.0.5", "127.0.0.6"] },
    ],
  ])("of %s makes transactions", async (_name, options) => {
    const result = await against(options);
    expect(result.state).toBe("completed");
    checkRequests(result, options.flows ?? 1);
    if (!makesConnections(options.test)) return;
    expect(result.connectLatency?.count).toBe(result.latency?.count);
    expect(result.requestLatency?.count).toBe(options.test === "tcp_cc" ? undefined : result.latency?.count);
    expect(result.connections?.errors).toEqual({ portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 });
  });

  it("finds the server by name", async () => {
    await using server = await serve({ port: 0 });
    const result = await run({ ...SHORT, test: "tcp_rr", host: "localhost", port: server.port });
    checkRequests(result, 1);
  });

  it("needs no warm-up", async () => {
    const result = await against({ test: "tcp_rr", host: "127.0.0.1", warmup: 0 });
    checkRequests(result, 1);
    expect(result.totals.local.transactions).toBeGreaterThanOrEqual(result.transactions?.count ?? Infinity);
  });

  it("cuts its window into intervals without a gap", async () => {
    await using server = await serve({ host: "127.0.0.1", port: 0 });
    const running = run({
      test: "tcp_crr",
      host: "127.0.0.1",
      port: server.port,
      duration: 0.5,
      warmup: 0,
      interval: 0.1,
    });
    const intervals: Interval[] = [];
    for await (const interval of running) intervals.push(interval);
    const result = await running;
    expect(result.intervals).toEqual(intervals);
    expect(intervals[0]?.startNs).toBe(0);
    for (const [index, { startNs, durationNs }] of intervals.entries()) {
      expect(startNs + durationNs).toBe(intervals[index + 1]?.startNs ?? result.window.durationNs);
    }
    expect(sum(intervals.map(({ transactions }) => transactions?.count))).toBe(result.transactions?.count);
    expect(sum(intervals.map(({ latency }) => latency?.count))).toBe(result.latency?.count);
  });

  it("shares process and server with others", async () => {
    await using server = await serve({ host: "127.0.0.1", port: 0 });
    const tests = Object.keys(TESTS) as TestName[];
    const results = await Promise.all(
      tests.map((test) => run({ ...SHORT, test, host: "127.0.0.1", port: server.port })),
    );
    expect(results.map(({ state, test }) => [state, test])).toEqual(tests.map((test) => ["completed", test]));
  });
});

describe("a run that ends early", () => {
  it.each(["tcp_stream", "tcp_rr", "tcp_crr", "udp_stream", "udp_rr"] as const)(
    "of %s is aborted promptly with what it has",
    async (test) => {
      const controller = new AbortController();
      await using server = await serve({ host: "127.0.0.1", port: 0 });
      const running = run(
        { test, host: "127.0.0.1", port: server.port, duration: 600, warmup: 0, interval: 0.05, flows: 3 },
        { signal: controller.signal },
      );
      for await (const _interval of running) controller.abort();
      const result = await running;
      expect(result.state).toBe("aborted");
      expect(result.transactions?.count ?? result.throughput?.bytes).toBeGreaterThan(0);
    },
  );

  it.each(["tcp_stream", "tcp_rr", "tcp_crr", "udp_stream", "udp_rr"] as const)(
    "of %s keeps what it has when the server ends",
    async (test) => {
      const server = await serve({ host: "127.0.0.1", port: 0 });
      const running = run({ test, host: "127.0.0.1", port: server.port, duration: 600, warmup: 0, interval: 0.05 });
      let failure: unknown;
      try {
        for await (const _interval of running) void server.close();
      } catch (error) {
        failure = error;
      }
      await server.closed;
      expect((failure as CnbLoadError).code).toMatch(/^ERR_(CLOSED|PEER_LOST)$/);
      expect((failure as CnbLoadError).result).toMatchObject({ state: "failed", test });
    },
  );

  it("leaves neither threads nor descriptors", async () => {
    await against({ test: "tcp_rr", host: "127.0.0.1", duration: 0.01 });
    const before = descriptors(process.pid).length;
    await Promise.all([
      against({ test: "tcp_rr", host: "127.0.0.1", flows: 20 }, AbortSignal.timeout(100)),
      against({ test: "tcp_crr", host: "127.0.0.1", flows: 20 }, AbortSignal.timeout(120)),
      against({ test: "tcp_stream", host: "127.0.0.1", flows: 20 }, AbortSignal.timeout(140)),
    ]);
    expect(workers()).toEqual([]);
    await until(() => descriptors(process.pid).length <= before, "descriptors are closed");
  });

  it("refuses at once what this host cannot do", async () => {
    await expect(against({ test: "tcp_rr", host: "127.0.0.1", cpus: 8000 })).rejects.toMatchObject({ option: "cpus" });
    await expect(against({ test: "tcp_rr", host: "127.0.0.1", flows: 1_000_000 })).rejects.toMatchObject({
      option: "flows",
    });
    await expect(against({ test: "tcp_rr", host: "127.0.0.1", bind: "192.0.2.1" })).rejects.toMatchObject({
      option: "bind",
    });
    await expect(against({ test: "tcp_rr", host: "127.0.0.1", congestion: "nonesuch" })).rejects.toMatchObject({
      name: "CnbLoadError",
      message: expect.stringContaining("nonesuch") as string,
    });
  });

  it("is told that the fixed data port is taken", async () => {
    await using first = await serve({ host: "127.0.0.1", port: 0 });
    await using server = await serve({ host: "127.0.0.1", port: 0, dataPort: first.port });
    await expect(run({ test: "tcp_rr", host: "127.0.0.1", port: server.port })).rejects.toMatchObject({
      code: "ERR_BUSY",
      retryAfterMs: expect.any(Number) as number,
    });
  });
});

describe("in a worker thread", () => {
  it("runs and serves as anywhere", async () => {
    const entry = join(import.meta.dirname, "../../dist/index.js");
    const program = `
      const { parentPort } = require("node:worker_threads");
      import(${JSON.stringify(entry)}).then(async ({ run, serve }) => {
        const server = await serve({ host: "127.0.0.1", port: 0 });
        const result = await run({ test: "tcp_crr", host: "127.0.0.1", port: server.port, duration: 0.1, warmup: 0, flows: 2 });
        await server.close();
        parentPort.postMessage({ state: result.state, count: result.transactions.count });
      });`;
    const worker = new Worker(program, { eval: true });
    const [message, exit] = (await Promise.all([once(worker, "message"), once(worker, "exit")])) as [
      unknown[],
      unknown[],
    ];
    expect(message[0]).toMatchObject({ state: "completed" });
    expect(exit).toEqual([0]);
    expect(workers()).toEqual([]);
  });
});
