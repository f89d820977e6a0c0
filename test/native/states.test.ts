import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { descriptors, threadNames } from "../support/processes.js";
import { until } from "../support/until.js";
import { checkHistogram, countOf } from "./invariants.js";
import { Half, Pair, untilWorking } from "./pair.js";
import { COOKIE, clientPlan, serverPlan } from "./plans.js";

const own = process.pid;
const nativeThreads = (): string[] => threadNames(own).filter((name) => name.startsWith("cnb-"));

describe("stopping", () => {
  it.each(["block", "epoll"] as const)("works before the flows have come (%s)", async (engine) => {
    const server = new Half(serverPlan({ engine }));
    expect(await server.stop()).toBeNull();
    expect(server.events).toEqual(["ended"]);
    expect(server.session.result()).toMatchObject({ windowNs: 0, fault: null, counters: { transactions: 0 } });
    await expect(server.ready).rejects.toThrow("stopped");
  });

  it("works while a client's connection has no answer", async () => {
    // TEST-NET-1 is routed nowhere that answers; where there is no route at all the session ends with a fault.
    const client = new Half(clientPlan(serverPlan({ flows: 1 }), 9, { address: "192.0.2.1" }));
    client.session.stop();
    const fault = await client.ended;
    expect(fault === null || fault.phase === "connect").toBe(true);
  });

  it.each(["ready", "going", "window", "closed"] as const)("works when the session is %s", async (stage) => {
    const before = descriptors(own).length;
    await using pair = new Pair(serverPlan({ loop: "send" }));
    await pair.ready();
    if (stage !== "ready") pair.go();
    if (stage === "window" || stage === "closed") {
      for (const { session } of pair.halves) session.openWindow();
      await untilWorking(pair.client);
    }
    if (stage === "closed") for (const { session } of pair.halves) session.closeWindow();
    expect(nativeThreads().length).toBeGreaterThanOrEqual(4);
    // The client first: a flow that ends before the window was closed is a fault to whoever still uses it.
    expect(await pair.client.stop()).toBeNull();
    await pair.stop();
    // pthread_join returns a moment before the kernel has forgotten the thread.
    await until(() => nativeThreads().length === 0, "no thread is left");
    expect(descriptors(own)).toHaveLength(before);
    for (const { session } of pair.halves) {
      const result = session.result();
      expect(result.windowNs > 0).toBe(stage === "window" || stage === "closed");
      expect(result.counters.bytesReceived + result.counters.bytesSent > 0).toBe(result.windowNs > 0);
    }
  });

  it("may be asked for again, and so may everything else once it is over", async () => {
    await using pair = new Pair(serverPlan());
    await pair.ready();
    pair.go();
    pair.client.session.stop();
    pair.client.session.stop();
    await pair.stop();
    const { session, events } = pair.client;
    const result = session.result();
    session.stop();
    session.go();
    session.openWindow();
    session.closeWindow();
    expect(session.result()).toEqual(result);
    expect(session.snapshot(true)).toMatchObject({ windowNs: 0, counters: result.counters });
    expect(events).toEqual(["ready", "ended"]);
  });
});

describe("a session's course", () => {
  it("lets nothing flow before go, and counts nothing before the window", async () => {
    await using pair = new Pair(serverPlan());
    const { session } = pair.client;
    expect(session.port).toBe(pair.server.session.port);
    expect(session.port).toBeGreaterThan(0);
    expect(session.snapshot(true)).toMatchObject({ windowNs: 0, counters: { transactions: 0 } });
    expect(() => session.result()).toThrow(/not ended/);
    await pair.ready();
    for (const half of pair.halves) expect(half.session.snapshot(false).ready).toBe(true);
    session.openWindow();
    const silent = session.snapshot(true);
    expect(silent.windowNs).toBeGreaterThanOrEqual(0);
    expect(silent.counters).toMatchObject({ transactions: 0, bytesSent: 0, bytesReceived: 0 });
    pair.go();
    await untilWorking(pair.client);
  });

  it("takes go before it is ready", async () => {
    const server = new Half(serverPlan());
    server.session.go();
    server.session.openWindow();
    const client = new Half(clientPlan(serverPlan(), server.session.port));
    client.session.go();
    client.session.openWindow();
    await untilWorking(client);
    await Promise.all([client.stop(), server.stop()]);
  });

  it("shows live figures that only grow and that the result confirms", async () => {
    await using pair = new Pair(serverPlan({ engine: "epoll", flows: 4, cpus: [-1, -1] }));
    const { session } = pair.client;
    await pair.ready();
    pair.go();
    for (const half of pair.halves) half.session.openWindow();
    let last = session.snapshot(true);
    for (let round = 0; round < 20; round++) {
      const { transactions } = last.counters;
      await until(() => session.snapshot(false).counters.transactions > transactions, "the count grows");
      const next = session.snapshot(true);
      expect(next.atNs).toBeGreaterThan(last.atNs);
      expect(next.windowNs).toBeGreaterThan(last.windowNs);
      expect(next.counters.bytesSent).toBeGreaterThanOrEqual(last.counters.bytesSent);
      if (next.latency === undefined || last.latency === undefined) throw new Error("RR has a histogram");
      // Read after the counters: what was counted in between is in the histogram already.
      expect(countOf(next.latency)).toBeGreaterThanOrEqual(countOf(last.latency));
      expect(countOf(next.latency)).toBeGreaterThan(transactions);
      last = next;
    }
    expect(session.snapshot(false).latency).toBeUndefined();
    expect(session.snapshot(false).tcp).toBeUndefined();
    // Since the session's own thread has noted where the flows stood when the window opened.
    await until(() => session.snapshot(false, true).tcp !== undefined, "TCP_INFO is there");
    const { tcp } = session.snapshot(false, true);
    expect(tcp?.flows).toBe(4);
    expect(tcp?.rttNs).toBeGreaterThan(0);
    session.closeWindow();
    expect(session.snapshot(false, true).tcp).toBeUndefined();
    const closed = session.snapshot(true);
    await pair.stop();
    const result = session.result();
    expect(result.windowNs).toBe(closed.windowNs);
    // A transaction under way when the window closed may still have been counted.
    expect(result.counters.transactions).toBeGreaterThanOrEqual(last.counters.transactions);
    checkHistogram(result.latency, result.counters.transactions);
  });
});

describe("a fault", () => {
  it("says that nothing listens there", async () => {
    const gone = createServer().listen(0, "127.0.0.1");
    await once(gone, "listening");
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await once(gone, "close");
    for (const loop of ["rr", "crr"] as const) {
      const client = new Half(clientPlan(serverPlan({ loop }), port));
      expect(await client.ended).toMatchObject({
        ...{ phase: "connect", syscall: "connect", code: "ECONNREFUSED", errno: 111 },
        address: `127.0.0.1:${port}`,
      });
      await expect(client.ready).rejects.toThrow("refused");
    }
  });

  it("says that the flows did not come in time, however many strangers did", async () => {
    const server = new Half(serverPlan({ setupTimeoutMs: 300 }));
    const strangers = await Promise.all(
      [Buffer.alloc(20), Buffer.from("GET / HTTP/1.1\r\nHost: here\r\n\r\n"), Buffer.alloc(0)].map(async (greeting) => {
        const socket = connect(server.session.port, "127.0.0.1").on("error", () => undefined);
        await once(socket, "connect");
        socket.write(greeting);
        return socket;
      }),
    );
    expect(await server.ended).toMatchObject({ phase: "admit", code: "TIMEOUT" });
    expect(server.events).toEqual(["ended"]);
    for (const socket of strangers) socket.destroy();
  });

  it("says that the peer closed a flow in use", async () => {
    // A server that knows the cookie but hangs up in the midst of the test.
    const sockets: Socket[] = [];
    const peer = createServer((socket) => sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
    await once(peer, "listening");
    const { port } = peer.address() as AddressInfo;
    const client = new Half(clientPlan(serverPlan(), port));
    await client.ready;
    client.session.openWindow();
    client.session.go();
    await until(() => sockets.length === 1, "the flow has come");
    const [socket] = sockets;
    socket?.once("data", (data: Buffer) => {
      expect(data.subarray(0, COOKIE.length)).toEqual(Buffer.from(COOKIE));
      socket.end();
    });
    expect(await client.ended).toMatchObject({
      ...{ phase: "traffic", code: "PEER_CLOSED", errno: 0, syscall: "" },
      address: `127.0.0.1:${port}`,
    });
    expect(client.session.result().windowNs).toBeGreaterThan(0);
    peer.close();
  });

  it("says which local address cannot be had", async () => {
    const server = new Half(serverPlan());
    const client = new Half(clientPlan(serverPlan(), server.session.port, { addresses: ["192.0.2.1"] }));
    expect(await client.ended).toMatchObject({ phase: "connect", syscall: "bind", code: "EADDRNOTAVAIL" });
    await server.stop();
  });

  it("says which CPU cannot be had", async () => {
    await using pair = new Pair(serverPlan(), { cpus: [1 << 20] });
    expect(await pair.client.ended).toMatchObject({ phase: "pin", code: "EINVAL" });
  });
});

describe("failed connections of CRR", () => {
  const loop = "crr";

  it("are counted by cause, and the run goes on", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    await using pair = new Pair(serverPlan({ loop, engine: "epoll" }), { localPorts: [port, port] });
    const { session } = pair.client;
    const errors = () => session.snapshot(false).counters.connectErrors;
    await pair.ready();
    for (const half of pair.halves) half.session.openWindow();
    pair.go();
    await until(() => errors().portsExhausted > 10, "the only port cannot be had");
    expect(session.snapshot(false).counters.transactions).toBe(0);
    taken.close();
    await untilWorking(pair.client);
    await pair.server.stop();
    await until(() => errors().refused > 10, "nobody listens any more");
    expect(await pair.client.stop()).toBeNull();
    const { counters, flows, latency } = session.result();
    expect(counters.connectErrors).toMatchObject({ timedOut: 0, other: 0 });
    expect(flows[0]?.connectErrors).toEqual(counters.connectErrors);
    checkHistogram(latency, counters.transactions);
  });
});
