import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HELLO, rawClient } from "../../fakes/raw-client.js";
import { until } from "../../fakes/until.js";
import { addon, failureOf, openSession, runAgainst, start, summaries, useServers } from "./servers.js";

useServers();

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
