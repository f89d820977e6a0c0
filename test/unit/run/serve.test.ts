import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlTiming } from "../../../src/control/timing.js";
import type { CnbLoadError } from "../../../src/errors.js";
import { type RunOptions, type ServeOptions, resolveRunOptions } from "../../../src/options/spec.js";
import { startRun } from "../../../src/run/run.js";
import { type Server, type ServerHooks, type SessionSummary, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { HELLO, type RawClient, rawClient } from "../../fakes/raw-client.js";
import { until } from "../../fakes/until.js";

let addon: FakeAddon;
let summaries: SessionSummary[];
const servers: Server[] = [];

beforeEach(() => {
  addon = new FakeAddon();
  summaries = [];
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  expect(addon.live).toEqual([]);
});

async function start(options: ServeOptions & ServerHooks = {}, timing: Partial<ControlTiming> = {}): Promise<Server> {
  const server = await startServer(
    { host: "127.0.0.1", port: 0, onSession: (summary) => summaries.push(summary), ...options },
    fakeEnvironment(addon, { timing }),
  );
  servers.push(server);
  return server;
}

const runOptions = (options: Partial<RunOptions> = {}): RunOptions => ({
  test: "tcp_rr",
  host: "127.0.0.1",
  duration: 0.02,
  warmup: 0,
  ...options,
});

/** A run against it, in its own surroundings; `port` is the server's. */
const runAgainst = ({ port }: Server, options: Partial<RunOptions> = {}, signal?: AbortSignal) =>
  startRun(runOptions({ port, ...options }), { signal }, fakeEnvironment(addon));

const failureOf = async (promise: PromiseLike<unknown>): Promise<CnbLoadError> => {
  const outcome: unknown = await promise.then(undefined, (error: unknown) => error);
  expect(outcome).toMatchObject({ name: "CnbLoadError" });
  return outcome as CnbLoadError;
};

/** A client that has come as far as to have a session. */
async function openSession(
  server: Server,
  options: Partial<RunOptions> = {},
  sources: string[] = [],
): Promise<RawClient> {
  const client = await rawClient(server.port);
  client.say(HELLO, { type: "setup", spec: resolveRunOptions(runOptions(options)), sources });
  expect(await client.hear()).toMatchObject({ type: "hello" });
  expect(await client.hear()).toMatchObject({ type: "prepared" });
  return client;
}

describe("serve", () => {
  it("says where it listens and what it served", async () => {
    const server = await start();
    expect(server.host).toBe("127.0.0.1");
    expect(server.port).toBeGreaterThan(0);
    await runAgainst(server, { flows: 2 });
    await until(() => summaries.length === 1);
    expect(summaries).toMatchObject([{ peer: "127.0.0.1", outcome: "completed", test: "tcp_rr", flows: 2 }]);
    expect(summaries[0]?.windowNs).toBeGreaterThan(0);
    expect(summaries[0]?.transactions).toBeGreaterThan(0);
  });

  it("serves many clients at once and after one another", async () => {
    const server = await start();
    await Promise.all(Array.from({ length: 8 }, () => runAgainst(server)));
    await runAgainst(server);
    await until(() => summaries.length === 9);
    expect(new Set(summaries.map(({ outcome }) => outcome))).toEqual(new Set(["completed"]));
  });

  it("serves IPv4 clients under their plain address where it listens on every address", async () => {
    const server = await start({ host: "" });
    await runAgainst(server, { test: "tcp_crr" });
    expect(addon.newest("server")?.plan).toMatchObject({ address: "127.0.0.1", addresses: ["127.0.0.1"] });
    expect(addon.newest("client")?.plan.address).toBe("127.0.0.1");
  });

  it("lets CRR connections come from the client and the sources that it declares, long-lived flows from anywhere", async () => {
    const server = await start();
    const crr = await openSession(server, { test: "tcp_crr" }, ["10.0.0.1", "::ffff:10.0.0.2", "127.0.0.1"]);
    expect(addon.newest("server")?.plan.addresses).toEqual(["127.0.0.1", "10.0.0.1", "10.0.0.2"]);
    const rr = await openSession(server, {}, ["10.0.0.1"]);
    expect(addon.newest("server")?.plan.addresses).toEqual([]);
    crr.destroy();
    rr.destroy();
  });

  it("gives every session a cookie of its own", async () => {
    const server = await start();
    const clients = await Promise.all([openSession(server), openSession(server)]);
    const [one, other] = addon.sessions.map(({ plan }) => Buffer.from(plan.cookie).toString("hex"));
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(one).not.toBe(other);
    for (const client of clients) client.destroy();
  });

  it("rejects bad options, CPUs that it may not use and ports that are taken", async () => {
    expect(await failureOf(start({ port: -1 }))).toMatchObject({ code: "ERR_INVALID_OPTION", option: "port" });
    expect(await failureOf(start({ cpus: "0,9" }))).toMatchObject({ code: "ERR_INVALID_OPTION", option: "cpus" });
    const { port } = await start();
    expect(await failureOf(start({ port }))).toMatchObject({ code: "ERR_LISTEN", syscall: "listen" });
  });

  it("keeps workers on the CPUs that it was given", async () => {
    const server = await start({ cpus: "2,3" });
    await runAgainst(server, { flows: 2 });
    expect(addon.newest("server")?.plan.cpus).toEqual([2, 3]);
    const error = await failureOf(runAgainst(server, { serverCpus: "1" }));
    expect(error).toMatchObject({ code: "ERR_INVALID_OPTION", option: "serverCpus" });
    expect(error.message).toContain("the server may use 2-3");
  });
});

describe("limits", () => {
  it.each<[string, ServeOptions, Partial<RunOptions>, object]>([
    ["flows", { maxFlows: 3 }, { flows: 4 }, { code: "ERR_LIMIT", option: "flows" }],
    [
      "length, warm-up included",
      { maxDuration: 1 },
      { duration: 0.6, warmup: 0.6 },
      { code: "ERR_LIMIT", option: "duration" },
    ],
    ["data port", { dataPort: 5001 }, { dataPort: 5002 }, { code: "ERR_LIMIT", option: "dataPort" }],
    ["addresses", { allow: "10.0.0.0/8" }, {}, { code: "ERR_AUTH" }],
  ])("on %s are told to the client", async (_what, serve, run, expected) => {
    const server = await start(serve);
    expect(await failureOf(runAgainst(server, run))).toMatchObject(expected);
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "refused", windowNs: 0 });
    expect(addon.sessions).toEqual([]);
  });

  it("refuse a session too many, and let the next in when there is room", async () => {
    const server = await start({ maxSessions: 1 });
    const first = await openSession(server, { duration: 30 });
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({ code: "ERR_BUSY" });
    expect(error.retryAfterMs).toBeGreaterThan(20_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(error.message).toMatch(
      /is busy: 1 session is under way \(--max-sessions\); try again in (2\d(\.\d)?|30)s$/,
    );
    first.destroy();
    await until(() => summaries.some(({ outcome }) => outcome === "failed"));
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("count the sessions of one address apart from those of others", async () => {
    const server = await start({ maxSessionsPerClient: 1 });
    const first = await openSession(server, { duration: 30 });
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({ code: "ERR_BUSY" });
    expect(error.message).toMatch(
      /1 session of 127\.0\.0\.1 is under way \(--max-sessions-per-client\); try again in/,
    );
    expect((await runAgainst(server, { bind: "127.0.0.2" })).state).toBe("completed");
    first.destroy();
    await until(() => summaries.some(({ outcome }) => outcome === "failed"));
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("give back the place of a session that was refused", async () => {
    const server = await start({ maxSessions: 1, maxFlows: 1 });
    for (let round = 0; round < 3; round++)
      expect(await failureOf(runAgainst(server, { flows: 2 }))).toMatchObject({ code: "ERR_LIMIT" });
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it.each<[string, ServeOptions, Partial<RunOptions>, RegExp]>([
    [
      "no pace",
      { maxBandwidth: "1G" },
      { test: "tcp_stream" },
      /^the server: bandwidth: this server allows 1G bit\/s .*no pace/,
    ],
    [
      "a pace too high",
      { maxBandwidth: "1M" },
      { test: "udp_stream", bandwidth: "2M" },
      /1M bit\/s .*\(--max-bandwidth\), 2M were/,
    ],
    [
      "a rate too high",
      { maxBandwidth: "1M" },
      { rate: 1000, response: 1000 },
      /^the server: rate: .* 1M .*, 8M were asked/,
    ],
    [
      "buffers too large",
      { maxMemory: "1M" },
      { test: "tcp_stream", recvSize: "2M" },
      /a session 1M of buffers \(--max-memory\)/,
    ],
  ])("are told for %s", async (_what, serve, run, message) => {
    const server = await start(serve);
    const error = await failureOf(runAgainst(server, run));
    expect(error).toMatchObject({ code: "ERR_LIMIT", message: expect.stringMatching(message) as string });
    expect(addon.sessions).toEqual([]);
  });

  it("of bandwidth let through what keeps to them", async () => {
    const server = await start({ maxBandwidth: "1G" });
    for (const run of [{ test: "tcp_maerts", bandwidth: "1G" }, { rate: 1000 }, { test: "tcp_cc" }] as const)
      expect((await runAgainst(server, run)).state).toBe("completed");
  });

  it("of bandwidth end a session that does not keep to them", async () => {
    const server = await start({ maxBandwidth: "1M" });
    const error = await failureOf(runAgainst(server, { flows: 20, duration: 30 }));
    expect(error.code).toBe("ERR_LIMIT");
    expect(error.message).toMatch(/allows 1M bit\/s per session and direction \(--max-bandwidth\), and more came$/);
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "failed", error: { code: "ERR_LIMIT" } });
  });

  it("answer busy where the fixed data port is taken", async () => {
    const server = await start({ dataPort: 5001 });
    const session = await openSession(server);
    addon.onConstruct = ({ role }) => {
      const inUse = { code: "EADDRINUSE", syscall: "bind", errno: 98, address: "127.0.0.1:5001" };
      if (role === "server") throw Object.assign(new Error("bind"), inUse);
    };
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({
      code: "ERR_BUSY",
      message: expect.stringMatching(
        /^the server: the server is busy: data port 5001 is in use; try again in /,
      ) as string,
    });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(addon.newest("server")?.plan.port).toBe(5001);
    session.destroy();
  });

  it("hold for a spec that was never checked by a client", async () => {
    const server = await start();
    const good = resolveRunOptions(runOptions());
    const bad = [
      { ...good, flows: 1e9 },
      { ...good, durationNs: -1 },
      { ...good, engine: "turbo" },
      { ...good, requestBytes: 1e12 },
      { ...good, sndbufBytes: null },
      { ...good, serverCpus: Array.from({ length: 9000 }, () => 0) },
      { ...good, engine: "block", flows: 5000 },
      { ...good, test: "toString" },
      [],
      null,
      "spec",
    ];
    for (const spec of bad) {
      const client = await rawClient(server.port);
      client.say(HELLO, { type: "setup", spec, sources: [] });
      const [, refusal] = await client.hearAll();
      expect(refusal).toMatchObject({ type: "refuse" });
    }
    expect(addon.sessions).toEqual([]);
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("hold for a spec that is nothing but nesting", async () => {
    const server = await start();
    const nest = "[".repeat(50_000) + "]".repeat(50_000);
    const spec = JSON.stringify(resolveRunOptions(runOptions()));
    for (const hostile of [
      nest,
      spec.replace('"bind":[]', `"bind":${nest}`),
      spec.replace('"flows":1', `"flows":${nest}`),
    ]) {
      const body = `{"type":"setup","sources":[],"spec":${hostile}}`;
      const header = Buffer.alloc(4);
      header.writeUInt32BE(body.length);
      const client = await rawClient(server.port);
      client.say(HELLO);
      client.write(Buffer.concat([header, Buffer.from(body)]));
      expect((await client.hearAll())[1]).toMatchObject({ type: "refuse" });
    }
    expect(addon.sessions).toEqual([]);
  });

  it("refuse sources that are no addresses", async () => {
    const server = await start();
    const client = await rawClient(server.port);
    client.say(HELLO, {
      type: "setup",
      spec: resolveRunOptions(runOptions({ test: "tcp_crr" })),
      sources: ["example.com"],
    });
    expect((await client.hearAll())[1]).toMatchObject({ type: "refuse", code: "ERR_PROTOCOL" });
  });
});

describe("clients that abort", () => {
  it.each(["as their flows come up", "while warming up", "in the window"])("say so %s", async (when) => {
    const server = await start();
    if (when === "as their flows come up") addon.becomesReady = () => false;
    const controller = new AbortController();
    const warmup = when === "while warming up" ? 60 : 0;
    const run = runAgainst(server, { duration: 60, warmup }, controller.signal);
    const client = () => addon.newest("client");
    if (when === "as their flows come up") await until(() => client() !== undefined);
    else await until(() => client()?.calls.includes("go") === true);
    controller.abort();
    expect((await run).state).toBe("aborted");
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "aborted", test: "tcp_rr" });
    expect(summaries[0]).not.toHaveProperty("error");
  });
});

describe("clients that go astray", () => {
  it.each(["before their flows are up", "in the window"])("free their session when they vanish %s", async (when) => {
    const server = await start();
    const client = await openSession(server, { test: "tcp_crr", duration: 60 });
    if (when === "in the window") {
      expect(await client.hear()).toEqual({ type: "ready" });
      client.say({ type: "open" }, { type: "go" });
      await client.hear();
    }
    client.destroy();
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "failed", error: { code: "ERR_PEER_LOST" }, test: "tcp_crr" });
    expect(addon.live).toEqual([]);
  });

  it("free their session when they fall silent", async () => {
    const server = await start({}, { silenceMs: 100 });
    const client = await openSession(server, { duration: 60 });
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "failed", error: { code: "ERR_PEER_LOST" } });
    expect(addon.live).toEqual([]);
    client.destroy();
  });

  it("do not disturb the others", async () => {
    const server = await start();
    const running = runAgainst(server, { duration: 0.2 });
    const strangers = await Promise.all(
      ["GET / HTTP/1.1\r\n\r\n", "CNB-NOPE", "CNB-LOAD\xff\xff\xff\xff", "CNB-LOAD\0\0\0\x01{"].map(async (bytes) => {
        const client = await rawClient(server.port, { preamble: false });
        client.write(Buffer.from(bytes, "latin1"));
        return client.hearAll();
      }),
    );
    expect(strangers.flat()).toMatchObject([{ type: "refuse" }, { type: "refuse" }, { type: "refuse" }]);
    expect((await running).state).toBe("completed");
  });

  it("are handed over untouched where they speak another protocol, but only if they may come", async () => {
    const guests: Socket[] = [];
    const hook = { onOtherProtocol: (socket: Socket) => guests.push(socket) };
    const closed = await start({ ...hook, allow: "10.0.0.0/8" });
    const turnedAway = await rawClient(closed.port, { preamble: false });
    turnedAway.write("\0\0\0\x01");
    expect(await turnedAway.hearAll()).toEqual([]);
    const server = await start(hook);
    const client = await rawClient(server.port, { preamble: false });
    client.write("\0\0\0\x01netperf");
    await until(() => guests.length > 0);
    const [bytes] = (await once((guests[0] as Socket).resume(), "data")) as [Buffer];
    expect(bytes.toString("latin1")).toBe("\0\0\0\x01netperf");
    client.destroy();
  });
});

describe("ending", () => {
  it("turns any number of clients away that were just coming", async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on("warning", collect);
    const server = await start();
    const guests = await Promise.all(Array.from({ length: 20 }, () => rawClient(server.port)));
    for (const guest of guests) guest.say(HELLO);
    await Promise.all(guests.map((guest) => guest.hear()));
    await server.close();
    const last = await Promise.all(guests.map((guest) => guest.hear()));
    expect(last.map((message) => (message as { code: string }).code)).toEqual(Array(20).fill("ERR_CLOSED"));
    process.off("warning", collect);
    expect(warnings).toEqual([]);
  });

  it("closes idle servers at once, and as often as one likes", async () => {
    const server = await start();
    const closing = server.close();
    expect(server.close()).toBe(closing);
    await closing;
    await server.closed;
    await server[Symbol.asyncDispose]();
    expect(await failureOf(runAgainst(server))).toMatchObject({ code: "ERR_CONNECT" });
  });

  it("ends sessions and tells their clients", async () => {
    const server = await start();
    const session = await openSession(server, { duration: 60 });
    const guest = await rawClient(server.port);
    guest.say(HELLO);
    await guest.hear();
    const stranger = await rawClient(server.port, { preamble: false });
    await server.close();
    expect(addon.live).toEqual([]);
    expect(await session.hearAll()).toMatchObject([{ type: "fail", code: "ERR_CLOSED", end: {} }]);
    expect(await guest.hearAll()).toMatchObject([{ type: "refuse", code: "ERR_CLOSED" }]);
    expect(await stranger.hearAll()).toEqual([]);
    expect(summaries.map(({ outcome }) => outcome).sort()).toEqual(["failed", "refused"]);
  });

  it("comes by itself after one session, with `once`", async () => {
    const server = await start({ once: true });
    const refused = await rawClient(server.port);
    refused.say({ ...HELLO, protocol: 99 });
    await refused.hearAll();
    const running = runAgainst(server, { duration: 0.2 });
    await until(() => addon.newest("server") !== undefined);
    expect(await failureOf(runAgainst(server))).toMatchObject({ code: "ERR_BUSY" });
    expect((await running).state).toBe("completed");
    await server.closed;
  });

  it("comes by itself when there has been no session for so long, and not before", async () => {
    const server = await start({ idleExit: 1 });
    const session = await openSession(server, { duration: 30 });
    let closed = false;
    void server.closed.then(() => (closed = true));
    await delay(1300);
    expect(closed).toBe(false);
    session.destroy();
    await server.closed;
    const idle = await start({ idleExit: "50ms" });
    await idle.closed;
  });

  it("does not swallow the error of a log function", async () => {
    const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
    const server = await start({
      onSession: () => {
        throw new Error("log is full");
      },
    });
    await runAgainst(server);
    expect(await thrown).toMatchObject({ message: "log is full" });
  });
});
