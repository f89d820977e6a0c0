/** Every recorded stock client, message by message, at our server's door. */
import { describe, expect, it } from "vitest";
import { type Layout, decode, messageType, serverError } from "../../../src/netperf/wire/fields.js";
import { rrResponse, streamResponse } from "../../../src/netperf/wire/legacy.js";
import { TYPE, UNKNOWN_TEST, omniResponse } from "../../../src/netperf/wire/omni.js";
import { until } from "../../support/until.js";
import { type Capture, capture, captures } from "./captures.js";
import { LEGACY_LAYOUTS } from "./legacy-layouts.js";
import { endOfTest, enter, request } from "./guests.js";

const RESPONSES = new Map<number, Layout>([
  [TYPE.omniRequest, omniResponse],
  [10, streamResponse],
  [300, rrResponse],
]);
/** The server sends datagrams: not here. */
const UNSERVED = ["omni_udp_maerts"];
const served = captures().filter(
  ({ name, fromClient, fromServer }) =>
    fromServer.length > 0 && fromClient.every((one) => isTest(one)) && !UNSERVED.includes(name),
);

function isTest(message: Buffer): boolean {
  return RESPONSES.has(messageType.read(message));
}

/** Messages that a stock netperf of this age does not send any more. */
function isUnserved(message: Buffer): boolean {
  return LEGACY_LAYOUTS.has(messageType.read(message)) && !isTest(message);
}

/** What a server answers to the request alone: the rest is its system's and its port. */
function promised(message: Buffer, recorded: Buffer): Record<string, unknown> {
  const layout = RESPONSES.get(messageType.read(recorded)) ?? omniResponse;
  const answer = decode(layout, message) as Record<string, number>;
  const stock = decode(layout, recorded) as Record<string, number>;
  const told = Object.entries(answer).filter(([name]) => {
    if (["dataPort", "sendBufSize", "recvBufSize", "testLength", "sendWidth", "recvWidth"].includes(name)) return false;
    // A size that was left to the server is that of its buffer.
    return (
      !["sendSize", "recvSize", "size"].includes(name) ||
      ![stock["sendBufSize"], stock["recvBufSize"]].includes(stock[name])
    );
  });
  // From the second test on stock servers leave random bits there.
  return Object.fromEntries(told.map(([name, value]) => [name, name === "flags" ? value & 0x9 : value]));
}

describe("a recorded stock client", () => {
  it.each(served.map((one) => [one.name, one] as const))(
    "%s is answered like by its server",
    async (_name, one: Capture) => {
      const { socket, addon, answer } = await enter();
      for (const [index, message] of one.fromClient.entries()) {
        socket.write(message);
        const response = await answer();
        const recorded = one.fromServer[index * 2]!;
        expect(serverError.read(response)).toBe(0);
        expect(messageType.read(response)).toBe(messageType.read(recorded));
        recorded.writeUInt32BE(messageType.read(message), 0);
        expect(promised(response, recorded)).toEqual(promised(recorded, recorded));
        addon.newest("server")!.fail(endOfTest);
        const results = await answer();
        expect([messageType.read(results), serverError.read(results)]).toEqual([messageType.read(message) + 2, 0]);
      }
      socket.end();
      await until(() => socket.closed, "the conversation is over");
      expect(addon.live).toEqual([]);
    },
  );

  it.each([
    ["tcp_stream", { loop: "receive", recvSizeBytes: 131_072 }],
    ["tcp_maerts", { loop: "send" }],
    ["tcp_crr", { loop: "crr", close: "server" }],
    ["burst", { loop: "rr", requestBytes: 10, responseBytes: 20 }],
    ["tcp_stream_bytes", { loop: "receive", recvSizeBytes: 4000 }],
    ["tcp_maerts_bytes", { loop: "send", foreign: { limit: 1_000_000, tos: -1, timeCalls: false } }],
    ["tcp_rr_bind", { loop: "rr", cpus: [1] }],
    ["omni_opts", { loop: "receive", sndbufBytes: 40_000, rcvbufBytes: 50_000, congestion: "reno", noDelay: true }],
    ["dataport", { loop: "rr", port: 12_920 }],
    ["tcp_cc", { loop: "crr", requestBytes: 0, responseBytes: 0, close: "server" }],
    ["omni_cc", { loop: "crr", requestBytes: 0, responseBytes: 0 }],
    ["tcp_sendfile", { loop: "receive", recvSizeBytes: 131_072 }],
    ["omni_wantall", { loop: "rr", foreign: { limit: 0, tos: -1, timeCalls: false } }],
    // Three sends of 1448 bytes in 20 ms.
    ["maerts_interval", { loop: "send", sendSizeBytes: 1448, bandwidthBitsPerSecond: 1_737_600 }],
  ])("%s gets the session that it asked for", async (name, plan) => {
    const { socket, addon, answer } = await enter();
    socket.write(capture(name).fromClient[0]!);
    expect(serverError.read(await answer())).toBe(0);
    expect(addon.newest("server")!.plan).toMatchObject(plan);
  });

  it.each([
    ...UNSERVED,
    ...captures().flatMap(({ name, fromClient }) => (fromClient.some((one) => isUnserved(one)) ? [name] : [])),
  ])("%s is told that this is not known, and may go on", async (name) => {
    const { socket, answer, addon } = await enter();
    socket.write(capture(name).fromClient[0]!);
    expect(serverError.read(await answer())).toBe(UNKNOWN_TEST);
    expect(addon.sessions).toEqual([]);
    socket.write(request());
    expect(serverError.read(await answer())).toBe(0);
  });

  it("rem_cpu learns the rate and the number of CPUs", async () => {
    const { socket, answer } = await enter();
    socket.write(capture("rem_cpu").fromClient[0]!);
    const reply = await answer();
    expect([messageType.read(reply), reply.readFloatBE(8)]).toEqual([TYPE.calibrate, 100]);
    expect(reply.readUInt32BE(12)).toBeGreaterThan(0);
  });
});
