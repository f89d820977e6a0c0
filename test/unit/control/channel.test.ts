import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Channel, type ChannelOptions } from "../../../src/control/channel.js";
import { FrameDecoder, encodeFrame } from "../../../src/control/codec.js";
import { ShapeError } from "../../../src/control/shape.js";
import { CnbLoadError } from "../../../src/errors.js";
import { TEST_TIMING } from "../../fakes/environment.js";
import { drain, socketPair } from "../../fakes/sockets.js";

interface Message {
  type: string;
  value?: unknown;
}
type TestChannel = Channel<Message, Message>;

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A channel, and the naked socket at its other end. */
async function open(options: Partial<ChannelOptions<Message, Message>> = {}): Promise<[TestChannel, Socket]> {
  const [near, far] = await socketPair();
  sockets.push(near, far);
  const decode = (value: unknown): Message => {
    if (typeof value !== "object" || value === null || !("type" in value)) throw new ShapeError("message: no type");
    return value as Message;
  };
  const channel = new Channel<Message, Message>(near, {
    peer: "server",
    decode,
    maxInBytes: 1e6,
    maxOutBytes: 1e6,
    timing: TEST_TIMING,
    preamble: false,
    ...options,
  });
  return [channel, far];
}

/** Sends frames as the peer would. */
function say(peer: Socket, ...messages: Message[]): void {
  peer.write(Buffer.concat(messages.map((message) => encodeFrame(message, 1e6))));
}

/** Keeps the peer audible, as long as the test runs. */
function keepAlive(peer: Socket): void {
  const timer = setInterval(() => {
    say(peer, { type: "ping" });
  }, TEST_TIMING.pingMs);
  peer.once("close", () => {
    clearInterval(timer);
  });
}

async function heard(peer: Socket, type: string): Promise<Message> {
  const decoder = new FrameDecoder(1e6, false);
  for await (const chunk of peer) {
    for (const message of decoder.push(chunk as Buffer))
      if ((message as Message).type === type) return message as Message;
  }
  throw new Error(`the channel closed without ${type}`);
}

const failure = async (promise: Promise<unknown>): Promise<CnbLoadError> => {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof CnbLoadError) return outcome;
  throw new Error("expected a CnbLoadError");
};

describe("Channel", () => {
  it("delivers in order, before and after they are asked for", async () => {
    const [channel, peer] = await open();
    say(peer, { type: "a", value: 1 }, { type: "ping" }, { type: "b" });
    expect(await channel.next(["a"], 1000)).toEqual({ type: "a", value: 1 });
    expect(await channel.next(["b", "c"], 1000)).toEqual({ type: "b" });
    const later = channel.next(["c"], 1000);
    say(peer, { type: "c" });
    expect(await later).toEqual({ type: "c" });
  });

  it("sends pings while nothing else is said", async () => {
    const [, peer] = await open();
    expect(await heard(peer, "ping")).toEqual({ type: "ping" });
  });

  it("takes a silent peer for gone", async () => {
    const [channel] = await open({ timing: { ...TEST_TIMING, silenceMs: 50 } });
    const reason = await channel.ended;
    expect(reason).toMatchObject({ code: "ERR_PEER_LOST", address: "127.0.0.1" });
    expect(reason.message).toContain("silent for 0.05 s");
    expect(await failure(channel.next(["a"], 1000))).toBe(reason);
  });

  it.each([
    ["take a peer for gone", { silenceMs: 50 }, 5000],
    ["miss a message", {}, 50],
  ])("does not %s because this thread was held up", async (_what, timing, deadlineMs) => {
    const [channel, peer] = await open({ timing: { ...TEST_TIMING, ...timing } });
    const waiting = channel.next(["a"], deadlineMs);
    say(peer, { type: "a" });
    await new Promise((resolve) => peer.write("", resolve));
    const until = performance.now() + 100;
    while (performance.now() < until);
    expect(await waiting).toEqual({ type: "a" });
    keepAlive(peer);
    await new Promise((resolve) => setImmediate(resolve));
    say(peer, { type: "b" });
    expect(await channel.next(["b"], 5000)).toEqual({ type: "b" });
  });

  it("gives a peer that was held up with it its time anew", async () => {
    const [channel, peer] = await open({ timing: { ...TEST_TIMING, silenceMs: 300 } });
    const until = performance.now() + 600;
    while (performance.now() < until);
    await delay(20);
    say(peer, { type: "a" });
    expect(await channel.next(["a"], 5000)).toEqual({ type: "a" });
    expect((await channel.ended).message).toContain("silent for 0.3 s");
  });

  it("gives a message its deadline, tells the peer and goes", async () => {
    const [channel, peer] = await open({ farewell: ({ code }) => ({ type: "bye", value: code }) });
    keepAlive(peer);
    const bye = heard(peer, "bye");
    const error = await failure(channel.next(["a", "b"], 30));
    expect(error).toMatchObject({ code: "ERR_TIMEOUT", message: "the server did not send a or b within 0.03 s" });
    expect(await bye).toEqual({ type: "bye", value: "ERR_TIMEOUT" });
    expect(await channel.ended).toBe(error);
  });

  it.each([
    ["the wrong message", encodeFrame({ type: "b" }, 100), /sent b where a was due/],
    ["a misshapen message", encodeFrame({}, 100), /bad message: message: no type/],
    ["what is no frame", Buffer.from("GET / HTTP/1.1\r\n\r\n"), /announced a frame/],
  ])("ends at %s", async (_what, bytes, text) => {
    const [channel, peer] = await open();
    const closed = drain(peer);
    const error = failure(channel.next(["a"], 1000));
    peer.write(bytes);
    expect(await error).toMatchObject({ code: "ERR_PROTOCOL", message: expect.stringMatching(text) as string });
    await closed;
  });

  it("ends when a queued message turns out not to be the one that is due", async () => {
    const [channel, peer] = await open();
    say(peer, { type: "a" }, { type: "b" });
    await channel.next(["a"], 1000);
    expect((await failure(channel.next(["c"], 1000))).code).toBe("ERR_PROTOCOL");
  });

  it("ends when the peer sends more than anyone asked for", async () => {
    const [channel, peer] = await open();
    say(peer, ...Array<Message>(100).fill({ type: "a" }));
    expect((await channel.ended).message).toContain("more than it is asked for");
  });

  it("ends when the peer does not read", async () => {
    const [channel, peer] = await open();
    keepAlive(peer);
    peer.pause();
    const big = { type: "a", value: "x".repeat(500_000) };
    const state = { ended: false };
    void channel.ended.then(() => (state.ended = true));
    for (let sent = 0; sent < 1000 && !state.ended; sent++) {
      channel.send(big);
      await new Promise(setImmediate);
    }
    expect(await channel.ended).toMatchObject({
      code: "ERR_PEER_LOST",
      message: "the server does not read what it is sent",
    });
  });

  it("says how the connection was lost", async () => {
    const [closed, peer] = await open();
    peer.end();
    expect(await closed.ended).toMatchObject({ code: "ERR_PEER_LOST" });
    const [reset, other] = await open();
    other.resetAndDestroy();
    expect(await reset.ended).toMatchObject({ code: "ERR_PEER_LOST", syscall: "read", errno: 104 });
  });

  it("lets a message interrupt whatever is awaited", async () => {
    const stop = new CnbLoadError("ERR_BUSY", "later");
    const [channel, peer] = await open({ intercept: ({ type }) => (type === "stop" ? stop : undefined) });
    const waiting = failure(channel.next(["a"], 1000));
    say(peer, { type: "stop" }, { type: "a" });
    expect(await waiting).toBe(stop);
    expect(await channel.ended).toBe(stop);
  });

  it("gives up waiting at a signal and can be waited on again", async () => {
    const [channel, peer] = await open();
    const controller = new AbortController();
    const reason = new Error("enough");
    const waiting = channel.next(["a"], 1000, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(channel.next(["a"], 1000, controller.signal)).rejects.toBe(reason);
    say(peer, { type: "a" });
    expect(await channel.next(["a"], 1000)).toEqual({ type: "a" });
  });

  it("keeps the socket after end() until the peer has read and closed", async () => {
    const [channel, peer] = await open({ timing: { ...TEST_TIMING, lingerMs: 5000 } });
    const big = { type: "last", value: "x".repeat(900_000) };
    // Unread data at the channel's side would turn a close into a reset, and the message be lost.
    say(peer, { type: "a" }, { type: "a" });
    channel.send(big);
    const reason = new CnbLoadError("ERR_CLOSED", "over");
    channel.end(reason);
    channel.send({ type: "never" });
    const bytes = await drain(peer);
    const messages = [...new FrameDecoder(1e6, false).push(bytes)] as Message[];
    expect(messages.filter(({ type }) => type !== "ping")).toEqual([big]);
    expect(await channel.ended).toBe(reason);
  });

  it("does not keep the socket for a peer that stays", async () => {
    const [near, far] = await socketPair();
    sockets.push(near, far);
    const channel = new Channel<Message, Message>(near, {
      peer: "client",
      decode: (value) => value as Message,
      maxInBytes: 100,
      maxOutBytes: 100,
      timing: { ...TEST_TIMING, lingerMs: 30 },
      preamble: false,
    });
    far.on("error", () => undefined).pause();
    const closed = once(near, "close");
    channel.end(new CnbLoadError("ERR_CLOSED", "over"));
    await closed;
  });
});
