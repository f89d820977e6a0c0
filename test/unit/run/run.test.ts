import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { TESTS } from "../../../src/options/names.js";
import { type RunOptions, type TestName, isBulk } from "../../../src/options/spec.js";
import type { Interval, Result } from "../../../src/result/model.js";
import { type RunSettings, startRun } from "../../../src/run/run.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { type FakeAddon, LATENCY_NS, faultOf } from "../../fakes/fake-addon.js";
import { HONEST, stubServer } from "../../fakes/stub-server.js";
import { until } from "../../fakes/until.js";
import { addon, failure, server } from "./fixture.js";

const start = (options: Partial<RunOptions> = {}, settings: RunSettings = {}, environment = fakeEnvironment(addon)) =>
  startRun(
    { test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: 0.08, warmup: 0.01, ...options },
    settings,
    environment,
  );

const client = () => addon.newest("client");

function expectTiling(intervals: readonly Interval[], result: Result): void {
  let end = 0;
  for (const { startNs, durationNs } of intervals) {
    expect(startNs).toBe(end);
    expect(durationNs).toBeGreaterThan(0);
    end = startNs + durationNs;
  }
  expect(end).toBe(result.window.durationNs);
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

describe("a run", () => {
  it.each(Object.keys(TESTS) as TestName[])("of %s completes", async (test) => {
    const result = await start({ test, flows: 3, interval: 0.02 });
    expect(result).toMatchObject({ schema: "cnb-load/result/1", state: "completed", test, spec: { flows: 3 } });
    expect(result.window.durationNs).toBeGreaterThanOrEqual(0.08e9 * 0.98);
    expect(result.flows).toHaveLength(3);
    expect(result.host.remote).toBeDefined();
    expect(result.cpu).toBeDefined();
    expectTiling(result.intervals, result);
    if (!isBulk(test)) {
      expect(result.transactions?.count).toBe(sum(result.intervals.map(({ transactions }) => transactions?.count)));
      expect(result.latency).toMatchObject({ count: result.transactions?.count, p50Ns: LATENCY_NS });
    } else {
      expect(result.throughput?.bytes).toBe(sum(result.intervals.map(({ throughput }) => throughput?.bytes)));
    }
  });

  it("opens both windows before traffic flows where there is no warm-up", async () => {
    await start({ warmup: 0 });
    for (const { calls } of addon.sessions) expect(calls).toEqual(["openWindow", "go", "closeWindow", "stop"]);
  });

  it("lets traffic flow first where there is one", async () => {
    await start();
    for (const { calls } of addon.sessions) expect(calls).toEqual(["go", "openWindow", "closeWindow", "stop"]);
  });

  it("plans both halves to match", async () => {
    await start({ test: "tcp_crr", flows: 2, bind: "127.0.0.3", cpus: "2,3", serverCpus: "1", close: "client" });
    const [serverPlan, clientPlan] = addon.sessions.map(({ plan }) => plan);
    expect(serverPlan).toMatchObject({
      role: "server",
      address: "127.0.0.1",
      port: 0,
      // The control connection comes from the bound address.
      addresses: ["127.0.0.3"],
      // One CPU for two flows: epoll.
      cpus: [1],
      engine: "epoll",
    });
    expect(clientPlan).toMatchObject({
      role: "client",
      address: "127.0.0.1",
      addresses: ["127.0.0.3"],
      cpus: [2, 3],
      localPorts: [5000, 65_535],
    });
    expect(clientPlan?.cookie).toHaveLength(16);
    expect(clientPlan?.cookie).toEqual(serverPlan?.cookie);
  });

  it("falls back to epoll on the end that refuses the engine, and says why", async () => {
    // The same sessions as the server's, which refuses nothing.
    const refusing = Object.create(addon) as FakeAddon;
    refusing.uringRefusal = "switched off here";
    const result = await start({ engine: "uring" }, {}, fakeEnvironment(refusing));
    expect(result.engine).toEqual({ local: "epoll", remote: "uring" });
    const warning = result.warnings.find(({ code }) => code === "ENGINE_UNAVAILABLE");
    expect(warning?.message).toBe("The client ran engine epoll, for it could not run uring: switched off here");
  });

  it("keeps workers of both ends apart on one machine", async () => {
    await start({ flows: 2 });
    expect(addon.newest("server")?.plan.cpus).toEqual([1, 2]);
    expect(client()?.plan.cpus).toEqual([3, 0]);
  });

  it("does not start before the caller could attach itself", async () => {
    const run = start();
    expect(addon.sessions).toEqual([]);
    await run;
  });

  it("runs beside others", async () => {
    const results = await Promise.all([1, 2, 3, 4].map((flows) => start({ flows })));
    expect(results.map(({ flows }) => flows.length)).toEqual([1, 2, 3, 4]);
  });

  it("passes the port budget's warning on", async () => {
    const spends = fakeEnvironment(addon, { files: { "/proc/sys/net/ipv4/tcp_timestamps": "0" } });
    const result = await start({ test: "tcp_crr", close: "client", localPorts: "20000-20009" }, {}, spends);
    expect(result.warnings.map(({ code }) => code)).toContain("PORT_BUDGET");
  });
});

describe("intervals", () => {
  it("come live, late, twice and side by side, always from the first on", async () => {
    const run = start({ interval: 0.02 });
    const collect = async (): Promise<Interval[]> => {
      const all: Interval[] = [];
      for await (const interval of run) all.push(interval);
      return all;
    };
    const live = await Promise.all([collect(), collect()]);
    const result = await run;
    expect(result.intervals.length).toBeGreaterThanOrEqual(2);
    expect(live).toEqual([result.intervals, result.intervals]);
    expect(await collect()).toEqual(result.intervals);
  });

  it("may be left early without ending the run", async () => {
    const run = start({ interval: 0.02 });
    for await (const _interval of run) break;
    expect((await run).state).toBe("completed");
  });

  it("leave out a tick just before the end", async () => {
    const result = await start({ duration: 0.1, interval: 0.09 });
    expect(result.intervals).toHaveLength(1);
    expectTiling(result.intervals, result);
  });

  it("are none where none were asked for", async () => {
    expect((await start()).intervals).toEqual([]);
  });
});

describe("aborting", () => {
  it("before the start gives an empty result and touches nothing", async () => {
    const result = await start({ flows: 9 }, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ state: "aborted", window: { durationNs: 0 }, flows: [], intervals: [] });
    expect(addon.sessions).toEqual([]);
  });

  it("while the flows come up gives an empty result", async () => {
    const controller = new AbortController();
    addon.becomesReady = () => false;
    const run = start({}, { signal: controller.signal });
    await until(() => client() !== undefined);
    controller.abort();
    expect(await run).toMatchObject({ state: "aborted", window: { durationNs: 0 } });
  });

  it("while warming up gives an empty result", async () => {
    const controller = new AbortController();
    const run = start({ warmup: 60 }, { signal: controller.signal });
    await until(() => client()?.calls.includes("go") === true);
    controller.abort();
    expect(await run).toMatchObject({ state: "aborted", window: { durationNs: 0 } });
    await until(() => addon.live.length === 0);
  });

  it("in the window gives what was measured, of both ends", async () => {
    const controller = new AbortController();
    const run = start({ test: "tcp_stream", duration: 60, interval: 0.02 }, { signal: controller.signal });
    for await (const _interval of run) {
      controller.abort();
      break;
    }
    const result = await run;
    expect(result.state).toBe("aborted");
    expect(result.throughput?.bytes).toBeGreaterThan(0);
    expect(result.window.durationNs).toBeLessThan(60e9);
    expectTiling(result.intervals, result);
  });

  it("reaches all runs that share a signal, which carries one listener for them", async () => {
    const controller = new AbortController();
    const runs = Array.from({ length: 12 }, () => start({ duration: 60 }, { signal: controller.signal }));
    // Wherever the others are by then.
    await until(() => client() !== undefined);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    controller.abort();
    const results = await Promise.all(runs);
    expect(new Set(results.map(({ state }) => state))).toEqual(new Set(["aborted"]));
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  it("ends iterations without an error", async () => {
    const controller = new AbortController();
    let count = 0;
    for await (const _interval of start({ duration: 60, interval: 0.02 }, { signal: controller.signal })) {
      count++;
      controller.abort();
    }
    expect(count).toBeGreaterThanOrEqual(1);
  });

  it("is prompt even where the server does not answer any more, before the window", async () => {
    await using silent = await stubServer({ ...HONEST, setup: HONEST["setup"]?.slice(0, 1) ?? [], finish: [] });
    const controller = new AbortController();
    const environment = fakeEnvironment(addon, { timing: { hurryMs: 100 } });
    const run = start({ port: silent.port }, { signal: controller.signal }, environment);
    await until(() => client() !== undefined);
    controller.abort();
    expect(await run).toMatchObject({ state: "aborted", window: { durationNs: 0 } });
    expect(silent.heard).toEqual(["hello", "setup", "finish"]);
  });

  it("is prompt even where the server does not answer any more", async () => {
    await using silent = await stubServer({ ...HONEST, close: [], finish: [] });
    const controller = new AbortController();
    const environment = fakeEnvironment(addon, { timing: { hurryMs: 100 } });
    const run = start({ port: silent.port, duration: 60 }, { signal: controller.signal }, environment);
    await until(() => client()?.calls.includes("openWindow") === true);
    controller.abort();
    const result = await run;
    expect(result.state).toBe("aborted");
    expect(result.host.remote).toBeUndefined();
    expect(result.transactions).toBeDefined();
  });
});

describe("a failing run", () => {
  it("rejects bad options when it is awaited, with the caller's stack", async () => {
    const error = await failure(start({ flows: 0 }));
    expect(error).toMatchObject({ name: "CnbLoadError", code: "ERR_INVALID_OPTION", option: "flows" });
    expect(error.stack).toContain("started by run():");
    expect(error.stack).toContain("run.test.ts");
  });

  it("throws from the iterator where nobody awaits it", async () => {
    const iterate = async () => {
      for await (const _interval of start({ cpus: "9" })) expect.unreachable();
    };
    expect(await failure(iterate())).toMatchObject({ code: "ERR_INVALID_OPTION", option: "cpus" });
  });

  it("makes no noise where nobody looks", async () => {
    let settled = false;
    void start({ flows: 0 }).then(undefined, () => (settled = true));
    start({ flows: 0 });
    await until(() => settled);
  });

  it.each<[string, Partial<RunOptions>, object]>([
    ["more flows than descriptors", { flows: 1000 }, { code: "ERR_LIMIT", option: "flows" }],
    ["a CPU that the server lacks", { serverCpus: "7" }, { code: "ERR_INVALID_OPTION", option: "serverCpus" }],
    ["no server", { port: 1 }, { code: "ERR_CONNECT", syscall: "connect" }],
    [
      "too many source addresses",
      { bind: Array.from({ length: 65 }, (_, i) => `127.0.1.${i + 1}`) },
      { option: "bind" },
    ],
  ])("names the cause: %s", async (_cause, options, expected) => {
    const error = await failure(start(options));
    expect(error).toMatchObject(expected);
    expect(error).not.toHaveProperty("result");
  });

  it("has no result before the window", async () => {
    addon.becomesReady = () => false;
    const run = failure(start());
    await until(() => client() !== undefined);
    client()?.fail(faultOf("connect", "ECONNREFUSED", { syscall: "connect", errno: 111 }));
    const error = await run;
    expect(error).toMatchObject({ code: "ERR_CONNECT", syscall: "connect", errno: 111 });
    expect(error.result).toBeUndefined();
  });

  it("keeps what was measured of both ends when its own half breaks", async () => {
    const run = start({ duration: 60, interval: 0.02 });
    for await (const _interval of run) break;
    client()?.fail(faultOf("traffic", "EIO", { syscall: "send", errno: 5 }));
    const error = await failure(run);
    expect(error).toMatchObject({ code: "ERR_TRAFFIC", syscall: "send", errno: 5 });
    expect(error.result).toMatchObject({ state: "failed", error: { code: "ERR_TRAFFIC" }, host: { remote: {} } });
    expect(error.result?.transactions?.count).toBeGreaterThan(0);
    expectTiling(error.result?.intervals ?? [], error.result as Result);
    expect(Object.keys(error)).not.toContain("result");
  });

  it("keeps what was measured of both ends when the server's half breaks", async () => {
    const run = start({ test: "tcp_stream", duration: 60, interval: 0.02 });
    for await (const _interval of run) break;
    addon.newest("server")?.fail(faultOf("traffic", "EIO", { syscall: "recv", errno: 5 }));
    const error = await failure(run);
    expect(error).toMatchObject({ code: "ERR_TRAFFIC", syscall: "recv" });
    expect(error.message).toMatch(/^the server: /);
    expect(error.result?.throughput?.bytes).toBeGreaterThan(0);
  });

  it("blames the server's fault, not the connections that broke with it", async () => {
    const run = failure(start({ duration: 60 }));
    await until(() => client()?.calls.includes("openWindow") === true);
    client()?.fail(faultOf("traffic", "PEER_CLOSED"));
    addon.newest("server")?.fail(faultOf("traffic", "ENOBUFS", { syscall: "recv", errno: 105 }));
    expect(await run).toMatchObject({ code: "ERR_LIMIT", syscall: "recv" });
  });

  it("rejects with what it has when the server shuts down", async () => {
    const run = failure(start({ duration: 60 }));
    await until(() => client()?.calls.includes("openWindow") === true);
    await server.close();
    const error = await run;
    expect(error).toMatchObject({ code: "ERR_CLOSED", message: "the server: the server is shutting down" });
    expect(error.result).toMatchObject({ state: "failed", host: { remote: {} } });
    // Nor does it wait for the end of flows whose sender has not been told: only a window that was closed before makes it.
    expect(addon.newest("server")?.calls).toEqual(["go", "openWindow", "stop"]);
  });

  it("says where the addon is missing", async () => {
    const environment = fakeEnvironment(addon);
    environment.addon = () => {
      throw Object.assign(new Error("x"), { code: "ERR_PLATFORM" });
    };
    expect((await failure(start({}, {}, environment))).code).toBe("ERR_PLATFORM");
  });
});
