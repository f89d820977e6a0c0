import type { Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { FrameDecoder, PREAMBLE, encodeFrame } from "../../../src/control/codec.js";
import { type ServerHalf, type SessionOptions, serveSession } from "../../../src/control/server-session.js";
import { Turns } from "../../../src/control/turns.js";
import { CnbLoadError } from "../../../src/errors.js";
import { emptyEnd } from "../../../src/run/half.js";
import { TEST_TIMING } from "../../fakes/environment.js";
import { socketPair } from "../../fakes/sockets.js";
import { tries } from "../../support/tries.js";

const BOOT_ID = "boot";
const END = emptyEnd({ hostname: "h", kernel: "k", arch: "x64", cpus: 1, nodeVersion: "v20", version: "0" });

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A half that writes down what it is told to do. */
class ScriptedHalf implements ServerHalf {
  readonly prepared = { dataPort: 1, cookie: "00", engine: "block", workers: 1, cpus: [0] };
  readonly calls: string[] = [];
  readonly halt = new AbortController();
  readonly halted = this.halt.signal;
  readonly setupMs = 100;
  readonly warmupMs = 100;
  readonly durationMs = 100;
  readonly maxSamples = 2;
  becomeReady!: () => void;
  readonly #ready = new Promise<void>((resolve) => (this.becomeReady = resolve));

  ready = () => this.#ready;
  go = () => void this.calls.push("go");
  openWindow = () => void this.calls.push("open");
  closeWindow = () => void this.calls.push("close");
  markAborted = () => void this.calls.push("aborted");
  sample = () => ({ windowNs: 1, bytesSent: 2, bytesReceived: 3 });
  finish = () => {
    if (!this.calls.includes("finish")) this.calls.push("finish");
    return Promise.resolve(END);
  };
}

interface Peer {
  socket: Socket;
  half: ScriptedHalf;
  /** What the session resolved with. */
  served: Promise<CnbLoadError | undefined>;
  say: (...messages: object[]) => void;
  /** The next message that is not a ping; "closed" after the last. */
  hear: () => Promise<unknown>;
}

async function begin(options: Partial<SessionOptions> = {}): Promise<Peer> {
  const [far, near] = await socketPair();
  sockets.push(far, near);
  const half = new ScriptedHalf();
  const served = serveSession(near, {
    self: { version: "0.1.0", bootId: BOOT_ID },
    timing: TEST_TIMING,
    refusal: undefined,
    open: () => half,
    closing: new AbortController().signal,
    turns: new Turns(),
    ...options,
  });
  far.write(PREAMBLE);
  const heard: unknown[] = [];
  let wake = (): void => undefined;
  const decoder = new FrameDecoder(1e6, false);
  far.on("data", (chunk) => {
    heard.push(...[...decoder.push(chunk)].filter((message) => (message as { type: string }).type !== "ping"));
    wake();
  });
  far
    .on("error", () => undefined)
    .on("close", () => {
      heard.push("closed");
      wake();
    });
  const hear = async (): Promise<unknown> => {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift();
  };
  const say = (...messages: object[]): void => {
    far.write(Buffer.concat(messages.map((message) => encodeFrame(message, 1e6))));
  };
  return { socket: far, half, served, say, hear };
}

const HELLO = { type: "hello", protocol: 1, version: "0.1.0", bootId: BOOT_ID };
const SETUP = { type: "setup", spec: { test: "tcp_rr" }, sources: ["10.0.0.1"] };

/** A session whose half is up. */
async function ready(options: Partial<SessionOptions> = {}): Promise<Peer> {
  const peer = await begin(options);
  peer.say(HELLO, SETUP);
  expect(await peer.hear()).toEqual(HELLO);
  expect(await peer.hear()).toEqual({ type: "prepared", ...peer.half.prepared });
  peer.half.becomeReady();
  expect(await peer.hear()).toEqual({ type: "ready" });
  return peer;
}

describe("serveSession", () => {
  it("passes on what the client asks for, with the addresses of the connection", async () => {
    let request: unknown;
    const half = new ScriptedHalf();
    const peer = await begin({
      open: (asked) => {
        request = asked;
        return half;
      },
    });
    peer.say(HELLO, SETUP);
    await peer.hear();
    await peer.hear();
    expect(request).toEqual({
      spec: SETUP.spec,
      sources: SETUP.sources,
      remoteAddress: "127.0.0.1",
      localAddress: "127.0.0.1",
      sameHost: true,
    });
  });

  it("takes the half through a test with warm-up", async () => {
    const peer = await ready();
    for (const [step, answer] of [
      ["go", "going"],
      ["open", "opened"],
      ["sample", "sampled"],
      ["close", "closed"],
    ]) {
      peer.say({ type: step as string });
      expect(await peer.hear()).toMatchObject({ type: answer });
    }
    peer.say({ type: "finish" });
    expect(await peer.hear()).toMatchObject({ type: "report", end: { workers: 0 } });
    peer.socket.end();
    expect(await peer.served).toBeUndefined();
    expect(peer.half.calls).toEqual(["go", "open", "close", "finish"]);
  });

  it("takes the half through a test without warm-up", async () => {
    const peer = await ready();
    peer.say({ type: "open" }, { type: "go" }, { type: "close" }, { type: "finish" });
    for (const answer of ["opened", "going", "closed", "report"])
      expect(await peer.hear()).toMatchObject({ type: answer });
    expect(peer.half.calls).toEqual(["open", "go", "close", "finish"]);
  });

  it.each(["before it is ready", "while warming up", "in the window"])("lets the client finish %s", async (when) => {
    const peer = await begin();
    peer.say(HELLO, SETUP);
    await peer.hear();
    await peer.hear();
    if (when !== "before it is ready") {
      peer.half.becomeReady();
      await peer.hear();
      peer.say({ type: "go" });
      await peer.hear();
    }
    if (when === "in the window") {
      peer.say({ type: "open" });
      await peer.hear();
    }
    peer.say({ type: "finish", aborted: true });
    expect(await peer.hear()).toMatchObject({ type: "report" });
    expect(await peer.served).toBeUndefined();
    expect(peer.half.calls.slice(-2)).toEqual(["aborted", "finish"]);
  });

  it.each([
    [["open", "open"]],
    [["go", "go"]],
    [["sample"]],
    [["close"]],
    [["open", "close", "go"]],
    [["open", "close", "sample"]],
    [["open", "go", "sample", "sample", "sample"]],
    [["open", "go", "close", "open"]],
    [["hello"]],
    [["setup"]],
  ])("fails a client whose steps are %j", async (steps) => {
    const peer = await ready();
    for (const type of steps.slice(0, -1)) {
      peer.say({ ...HELLO, ...SETUP, type });
      await peer.hear();
    }
    peer.say({ ...HELLO, ...SETUP, type: steps.at(-1) });
    expect(await peer.hear()).toMatchObject({ type: "fail", code: "ERR_PROTOCOL" });
    expect(await peer.served).toMatchObject({ code: "ERR_PROTOCOL" });
    expect(peer.half.calls.at(-1)).toBe("finish");
  });

  it("fails a client that goes ahead before the server is ready", async () => {
    const peer = await begin();
    peer.say(HELLO, SETUP, { type: "go" });
    await peer.hear();
    await peer.hear();
    expect(await peer.hear()).toMatchObject({ type: "fail", code: "ERR_PROTOCOL" });
  });

  it("refuses another version, whatever else its hello holds", async () => {
    const peer = await begin();
    peer.say({ type: "hello", protocol: 2, novelty: [] });
    expect(await peer.hear()).toMatchObject({ type: "refuse", code: "ERR_VERSION" });
    expect(await peer.hear()).toBe("closed");
    expect(await peer.served).toMatchObject({ code: "ERR_VERSION" });
  });

  it("refuses with the code, option and delay of the half that could not be had", async () => {
    const peer = await begin({
      open: () => {
        throw new CnbLoadError("ERR_BUSY", "not now", { retryAfterMs: 700, option: "flows" });
      },
    });
    peer.say(HELLO, SETUP);
    await peer.hear();
    expect(await peer.hear()).toEqual({
      type: "refuse",
      code: "ERR_BUSY",
      message: "not now",
      option: "flows",
      retryAfterMs: 700,
    });
    expect(await peer.hear()).toBe("closed");
  });

  it("keeps the details of its own bugs to itself", async () => {
    const peer = await begin({
      open: () => {
        throw new TypeError("secret");
      },
    });
    peer.say(HELLO, SETUP);
    await peer.hear();
    expect(await peer.hear()).toEqual({
      type: "refuse",
      code: "ERR_PEER_FAILED",
      message: "internal error of the server",
    });
  });

  it("turns away at the first word", async () => {
    const peer = await begin({ refusal: new CnbLoadError("ERR_AUTH", "not you") });
    peer.say(HELLO);
    expect(await peer.hear()).toEqual({ type: "refuse", code: "ERR_AUTH", message: "not you" });
  });

  it("tells the client why the half failed, with what was measured", async () => {
    const peer = await ready();
    peer.half.halt.abort(new CnbLoadError("ERR_TRAFFIC", "send: EIO", { syscall: "send", errno: 5 }));
    expect(await peer.hear()).toMatchObject({
      type: "fail",
      code: "ERR_TRAFFIC",
      syscall: "send",
      errno: 5,
      end: { workers: 0 },
    });
    expect(await peer.served).toMatchObject({ code: "ERR_TRAFFIC" });
  });

  it.each(["hello", "setup", "go", "open", "close", "finish"])(
    "gives up on a client that never sends %s",
    async (missing) => {
      const peer = await begin({ timing: { ...TEST_TIMING, helloMs: 100, slackMs: 50 } });
      const alive = setInterval(() => {
        peer.say({ type: "ping" });
      }, TEST_TIMING.pingMs);
      peer.socket.on("close", () => {
        clearInterval(alive);
      });
      peer.half.becomeReady();
      const steps = [HELLO, SETUP, { type: "go" }, { type: "open" }, { type: "close" }, { type: "finish" }];
      for (const step of steps) {
        if (step.type === missing) break;
        peer.say(step);
        await peer.hear();
        // Both `prepared` and `ready` answer `setup`.
        if (step === SETUP) await peer.hear();
      }
      expect(await peer.hear()).toMatchObject({
        code: "ERR_TIMEOUT",
        message: expect.stringContaining(missing) as string,
      });
      expect(await peer.served).toMatchObject({ code: "ERR_TIMEOUT" });
    },
  );

  it.each(["closes", "resets", "falls silent"])("frees the half of a client that %s", async (how) => {
    const peer = await ready({ timing: { ...TEST_TIMING, silenceMs: how === "falls silent" ? 100 : 4000 } });
    peer.say({ type: "go" }, { type: "open" });
    await peer.hear();
    await peer.hear();
    if (how === "closes") peer.socket.end();
    if (how === "resets") peer.socket.resetAndDestroy();
    expect(await peer.served).toMatchObject({
      code: how === "falls silent" ? (expect.stringMatching(/LOST|TIMEOUT/) as string) : "ERR_PEER_LOST",
    });
    expect(peer.half.calls.at(-1)).toBe("finish");
  });

  it("drops what it has to say of each flow when the report exceeds a frame", async () => {
    const many = Array<number>(3_000_000).fill(1_000_000);
    const half = new ScriptedHalf();
    half.finish = () =>
      Promise.resolve({
        ...END,
        windowNs: 5,
        flows: { bytesSent: many, bytesReceived: [], transactions: [], cpu: [] },
      });
    const peer = await begin({ open: () => half });
    peer.say(HELLO, SETUP, { type: "finish" });
    await peer.hear();
    await peer.hear();
    expect(await peer.hear()).toMatchObject({
      type: "report",
      end: { windowNs: 5, flows: { bytesSent: [], cpu: [] } },
    });
  });

  it("ends at once when the server does", async () => {
    const closing = new AbortController();
    const peer = await begin({ closing: closing.signal });
    closing.abort(new CnbLoadError("ERR_CLOSED", "the server is shutting down"));
    expect(await peer.hear()).toMatchObject({ type: "refuse", code: "ERR_CLOSED" });
    expect(await peer.served).toMatchObject({ code: "ERR_CLOSED" });
  });

  it("survives whatever bytes come, and always ends with its half finished", async () => {
    const messages = fc.constantFrom(
      HELLO,
      SETUP,
      ...["go", "open", "sample", "close", "finish", "ping"].map((type) => ({ type })),
    );
    const part = fc.oneof(
      { weight: 4, arbitrary: messages.map((message) => encodeFrame(message, 1e6)) },
      { weight: 1, arbitrary: fc.jsonValue().map((value) => encodeFrame(value, 1e6)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.boolean(), async (parts, isReady) => {
        let opened = false;
        const half = new ScriptedHalf();
        const peer = await begin({
          open: () => {
            opened = true;
            return half;
          },
        });
        if (isReady) half.becomeReady();
        for (const bytes of parts) peer.socket.write(bytes);
        peer.socket.end();
        await peer.served;
        expect(half.calls.includes("finish")).toBe(opened);
      }),
      tries(60),
    );
  });
});
