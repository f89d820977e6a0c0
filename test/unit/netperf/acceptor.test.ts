import { describe, expect, it } from "vitest";
import { MESSAGE_BYTES, decode, encode, messageType, serverError } from "../../../src/netperf/wire/fields.js";
import { addressBytes } from "../../../src/netperf/wire/addresses.js";
import {
  FAMILY,
  PROTOCOL,
  SOCKET_TYPE,
  TYPE,
  calibration,
  omniRequest,
  omniResponse,
  omniResults,
  passphrase,
} from "../../../src/netperf/wire/omni.js";
import { FakeAddon, faultOf } from "../../fakes/fake-addon.js";
import { drain } from "../../fakes/sockets.js";
import { until } from "../../support/until.js";
import { capture } from "./captures.js";
import { cleanUps, endOfTest, enter, join, request } from "./guests.js";

describe("a netperf client", () => {
  it("gets a response, its test, and the results", async () => {
    const { socket, addon, answer, told } = await enter();
    socket.write(request({ flags: 0x29 }));
    const response = decode(omniResponse, await answer());
    const session = addon.newest("server")!;
    expect(response).toMatchObject({ dataPort: session.port, flags: 0x9, cpuRate: 100, sendSize: 1, recvSize: 1 });
    expect(session.plan).toMatchObject({
      ...{ loop: "rr", engine: "block", flows: 1, cpus: [-1], requestBytes: 1, responseBytes: 1, noDelay: true },
      ...{
        addresses: ["127.0.0.1"],
        address: "127.0.0.1",
        foreign: { limit: 0, tos: -1, timeCalls: false },
      },
    });
    await until(() => session.snapshot(false).windowNs > 20e6, "some of the test has passed");
    session.fail(endOfTest);
    const message = await answer();
    expect(messageType.read(message)).toBe(TYPE.omniResults);
    expect(serverError.read(message)).toBe(0);
    const results = decode(omniResults, message);
    expect(results.transactions).toBeGreaterThan(0);
    expect(results.recvCalls).toBe(results.transactions);
    expect(results.congestion).toBe("cubic");
    expect(results.elapsedSeconds).toBeGreaterThan(0.01);
    expect(told).toMatchObject([{ peer: "127.0.0.1", test: "tcp_rr", outcome: "completed" }]);
    socket.end();
    await drain(socket);
  });

  it("is served whatever the pieces that its requests come in, and test after test", async () => {
    const { socket, addon, answer } = await enter();
    for (const round of [1, 2]) {
      const bytes = request();
      for (let at = 0; at < bytes.length; at += 100) {
        socket.write(bytes.subarray(at, at + 100));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await answer();
      expect(addon.sessions.length).toBe(round);
      addon.newest("server")!.fail(endOfTest);
      await answer();
    }
  });

  it("that vanishes during its test leaves nothing behind", async () => {
    const { socket, addon, answer, told } = await enter();
    socket.write(request());
    await answer();
    socket.destroy();
    await until(() => addon.live.length === 0, "the session has ended");
    await until(() => told.length === 1, "it was told");
    expect(told[0]).toMatchObject({ outcome: "failed", error: { code: "ERR_PEER_LOST" } });
  });

  it("that never opens its data connection is told so", async () => {
    const { socket, addon, answer } = await enter();
    socket.write(request());
    await answer();
    addon.newest("server")!.fail(faultOf("admit", "TIMEOUT", { errno: 110 }));
    expect(serverError.read(await answer())).toBe(110);
  });

  it("of a connection test is done soon after it stopped, without the four seconds", async () => {
    const { socket, addon, answer } = await enter({ maxDurationNs: 2e9 }, new FakeAddon());
    socket.write(
      encode(omniRequest, 97, -1, { ...decode(omniRequest, capture("tcp_crr").fromClient[0]!), testLength: 1 }),
    );
    await answer();
    const session = addon.newest("server")!;
    const { transactions } = session.snapshot(false).counters;
    session.snapshot = ((real) => (histograms: boolean) => {
      const snapshot = real(histograms);
      return { ...snapshot, counters: { ...snapshot.counters, transactions: transactions + 5000, connections: 5000 } };
    })(session.snapshot.bind(session));
    const started = performance.now();
    const results = decode(omniResults, await answer());
    expect(performance.now() - started).toBeLessThan(4500);
    expect(results.elapsedSeconds).toBeCloseTo(1, 3);
  });
});

describe("limits", () => {
  it("of the length of a test and of the number of tests hold for netperf, too", async () => {
    const { socket, answer, acceptor, sessions } = await enter({ maxSessions: 1 });
    socket.write(request({ testLength: 61 }));
    expect(serverError.read(await answer())).toBe(1);
    socket.write(request({ testLength: 60 }));
    expect(serverError.read(await answer())).toBe(0);
    const second = await join(acceptor, sessions);
    second.socket.write(request());
    expect(serverError.read(await second.answer())).toBe(16);
  });

  it("of whom datagrams are answered to: nobody but who has shown that it receives", async () => {
    const { socket, addon, answer, told } = await enter();
    const udp = { socketType: SOCKET_TYPE.datagram, protocol: PROTOCOL.udp, family: FAMILY.ipv4 };
    const victim = addressBytes("192.0.2.1");
    for (const elsewhere of [{ localAddress: victim }, { serverAddress: victim }, { family: FAMILY.ipv6 }]) {
      socket.write(request({ ...udp, ...elsewhere }));
      expect(serverError.read(await answer())).toBe(13);
    }
    await until(() => told.length === 3, "they were told");
    expect(told[0]).toMatchObject({ outcome: "refused", error: { code: "ERR_AUTH" } });
    expect(addon.sessions).toEqual([]);
    socket.write(request({ ...udp, localAddress: addressBytes("127.0.0.1") }));
    expect(serverError.read(await answer())).toBe(0);
    expect(addon.newest("server")!.plan).toMatchObject({ udp: {}, addresses: ["127.0.0.1"] });
  });

  it("of what a request may ask for", async () => {
    const { socket, answer } = await enter();
    for (const bad of [{ requestSize: 0 }, { responseSize: -1 }, { requestSize: 2 ** 30 }, { dataPort: 65_536 }]) {
      socket.write(request(bad));
      expect(serverError.read(await answer())).toBeGreaterThan(0);
    }
  });

  it("fall back to another data port where the one asked for is taken", async () => {
    const addon = new FakeAddon();
    addon.onConstruct = ({ port }) => {
      if (port === 5001)
        throw Object.assign(new Error("bind: taken"), { syscall: "bind", errno: 98, code: "EADDRINUSE" });
    };
    const { socket, answer } = await enter({}, addon);
    socket.write(request({ dataPort: 5001 }));
    const { dataPort } = decode(omniResponse, await answer());
    expect(dataPort).toBe(addon.newest("server")!.port);
    expect(dataPort).not.toBe(5001);
  });

  it("let a fixed data port prevail", async () => {
    const { socket, answer } = await enter({ dataPort: 6000 });
    socket.write(request({ dataPort: 5001 }));
    expect(decode(omniResponse, await answer()).dataPort).toBe(6000);
  });
});

describe("a server that others must prove themselves to", () => {
  it("tells netperf's clients that they may not come, and gives them nothing", async () => {
    const { socket, addon, answer, told } = await enter({ refusal: "not you" });
    socket.write(request());
    expect(serverError.read(await answer())).toBe(13);
    socket.write(encode(calibration, TYPE.calibrate, -1, {}));
    expect(serverError.read(await answer())).toBe(13);
    await until(() => told.length === 1, "it was told");
    expect(told).toMatchObject([{ outcome: "refused", error: { code: "ERR_AUTH", message: "not you" } }]);
    expect(addon.sessions).toEqual([]);
  });
});

describe("a passphrase", () => {
  const secret = (text: string): Buffer => encode(passphrase, TYPE.passphrase, -1, { text });

  it("opens the door, in one piece with the request", async () => {
    const { socket, answer } = await enter({ passphrase: "sesame" });
    socket.write(Buffer.concat([secret("sesame"), request()]));
    expect(serverError.read(await answer())).toBe(0);
  });

  it.each([
    ["wrong", secret("tahini")],
    ["missing", request()],
    ["late", Buffer.alloc(0)],
  ])("that is %s closes it", async (_what, bytes) => {
    const { socket, addon } = await enter({ passphrase: "sesame" });
    socket.write(bytes);
    expect((await drain(socket)).length).toBe(0);
    expect(addon.sessions).toEqual([]);
  });

  it("is ignored where none is wanted", async () => {
    const { socket, answer } = await enter();
    socket.write(Buffer.concat([secret("whatever"), request()]));
    expect(serverError.read(await answer())).toBe(0);
  });
});

describe("hostile bytes", () => {
  it("cut short are dropped with the connection", async () => {
    const { socket } = await enter();
    socket.write(request().subarray(0, 100));
    expect((await drain(socket)).length).toBe(0);
  });

  it("dribbled buy no time", async () => {
    const { socket } = await enter();
    const timer = setInterval(() => socket.write("\0"), 20);
    cleanUps.push(() => clearInterval(timer));
    expect((await drain(socket)).length).toBe(0);
  });

  it("in a flood during a test end the connection and the test", async () => {
    const { socket, addon, answer } = await enter();
    socket.write(request());
    await answer();
    socket.write(Buffer.alloc(100 * MESSAGE_BYTES));
    await until(() => socket.closed, "the connection is closed");
    await until(() => addon.live.length === 0, "the session has ended");
  });
});
