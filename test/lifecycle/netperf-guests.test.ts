/** Clients that break netperf's control protocol in every way, against the server that users run: it serves on, and keeps nothing of them. */
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { MESSAGE_BYTES, decode, encode, serverError } from "../../src/netperf/wire/fields.js";
import { TYPE, omniRequest, omniResponse } from "../../src/netperf/wire/omni.js";
import { Cli, Program } from "../support/program.js";
import { Resources } from "../support/resources.js";
import { until } from "../support/until.js";
import { capture, captures } from "../unit/netperf/captures.js";

const NETPERF = join(import.meta.dirname, "../../dist/cli/netperf-bin.js");
/** From the first byte of a message to its last, and for a data connection of a test of one second. */
const MESSAGE_MS = 5000;
const ADMIT_MS = 5000;
const SLACK_MS = 5000;
const REQUEST = capture("tcp_rr").fromClient[0] ?? Buffer.alloc(0);

let server: Cli;
let port = 0;
let before: Resources;

beforeEach(async () => {
  server = new Cli(["server", "--host", "127.0.0.1", "--port", "0", "--max-sessions", "2"]);
  const [, found = ""] = await server.saying("stdout", /listening on 127\.0\.0\.1:(\d+)\n/);
  port = Number(found);
  // What is loaded on first use is there from now on.
  await serves();
  before = Resources.of(server);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

async function serves(): Promise<void> {
  const test = ["-H", "127.0.0.1", "-p", String(port), "-t", "TCP_RR", "-l", "-20", "-P", "0", "-v", "0"];
  await using client = new Program([process.execPath, NETPERF, ...test]);
  const { code, stderr } = await client.finished;
  expect([code, stderr]).toEqual([0, ""]);
}

interface Guest {
  socket: Socket;
  received: () => Buffer;
}

async function guest(): Promise<Guest> {
  const socket = connect(port, "127.0.0.1");
  let received = Buffer.alloc(0);
  socket.on("error", () => undefined).on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  await once(socket, "connect");
  return { socket, received: () => received };
}

async function closed({ socket }: Guest, timeoutMs: number): Promise<void> {
  await until(() => socket.closed, "the server has closed the connection", { timeoutMs });
}

/** The server is what it was. */
async function unharmed(): Promise<void> {
  await before.restored(ADMIT_MS + SLACK_MS);
  await serves();
  await before.restored(SLACK_MS);
}

it("messages that are cut", async () => {
  for (const length of [1, 4, 8, 100, MESSAGE_BYTES - 1, MESSAGE_BYTES + 1]) {
    for (const leave of ["end", "destroy"] as const) {
      const one = await guest();
      one.socket.write(Buffer.concat([REQUEST, REQUEST]).subarray(0, length));
      one.socket[leave]();
      await closed(one, SLACK_MS);
    }
  }
  await unharmed();
});

it("messages that come byte by byte: in time they are served, late they are not", async () => {
  const quick = await guest();
  quick.socket.setNoDelay(true);
  for (const byte of REQUEST) quick.socket.write(Buffer.of(byte));
  await until(() => quick.received().length >= MESSAGE_BYTES, "it was answered");
  expect(serverError.read(quick.received())).toBe(0);
  quick.socket.destroy();

  const slow = await guest();
  const timer = setInterval(() => slow.socket.write("\0"), 200);
  await closed(slow, MESSAGE_MS + SLACK_MS);
  clearInterval(timer);
  expect(slow.received().length).toBe(0);
  await unharmed();
});

it("floods", async () => {
  const flood = await guest();
  flood.socket.write(Buffer.alloc(4 * 1024 * 1024));
  await closed(flood, SLACK_MS);
  const busy = await guest();
  busy.socket.write(Buffer.concat([REQUEST, ...Array.from({ length: 100 }, () => REQUEST)]));
  await closed(busy, SLACK_MS);
  await unharmed();
});

it("recorded conversations, all at once and out of turn", async () => {
  const guests = await Promise.all(
    captures().map(async ({ fromClient, fromServer }) => {
      const one = await guest();
      one.socket.write(Buffer.concat([...fromClient, ...fromServer]));
      return one;
    }),
  );
  await until(() => guests.every(({ socket, received }) => socket.closed || received().length > 0), "all were heard");
  for (const { socket } of guests) socket.destroy();
  await unharmed();
});

it("noise", async () => {
  const messages = fc.uint8Array({ minLength: 1, maxLength: 3 * MESSAGE_BYTES }).map((bytes) => Buffer.from(bytes));
  const types = fc.constantFrom(...[1, 2, 5, 6, 10, 97, 300, 600]);
  await fc.assert(
    fc.asyncProperty(messages, types, async (bytes, type) => {
      const typed = Buffer.from(bytes);
      if (typed.length >= 4) typed.writeUInt32BE(type);
      for (const noise of [bytes, typed]) {
        const one = await guest();
        one.socket.end(noise);
        await closed(one, SLACK_MS);
      }
    }),
    { numRuns: 100 },
  );
  await unharmed();
});

it("what a stock client may send and no test can be: it is told so, and the next request is served", async () => {
  const one = await guest();
  let answers = 0;
  const ask = async (overrides: Partial<ReturnType<typeof decode<typeof omniRequest>>>): Promise<Buffer> => {
    one.socket.write(encode(omniRequest, TYPE.omniRequest, -1, { ...decode(omniRequest, REQUEST), ...overrides }));
    answers++;
    await until(() => one.received().length >= answers * MESSAGE_BYTES, "it was answered");
    return one.received().subarray((answers - 1) * MESSAGE_BYTES);
  };
  expect(serverError.read(await ask({ protocol: 250 }))).toBe(998);
  expect(serverError.read(await ask({ socketType: 9 }))).toBe(998);
  expect(serverError.read(await ask({ requestSize: 2 ** 31 - 1 }))).toBeGreaterThan(0);
  expect(serverError.read(await ask({ congestion: "no-such-name" }))).toBeGreaterThan(0);
  // Alignment 0 crashes netserver; a port that is taken is replaced.
  const served = await ask({ sendAlignment: 0, recvAlignment: 0, dataPort: port, testLength: 1 });
  expect(serverError.read(served)).toBe(0);
  expect(decode(omniResponse, served).dataPort).not.toBe(port);
  one.socket.destroy();
  await unharmed();
});

it("clients that never open their data connection give their places back", async () => {
  const [first, second, third] = [await guest(), await guest(), await guest()];
  const short = encode(omniRequest, TYPE.omniRequest, -1, { ...decode(omniRequest, REQUEST), testLength: 1 });
  for (const { socket, received } of [first, second]) {
    socket.write(short);
    await until(() => received().length >= MESSAGE_BYTES, "the test is set up");
  }
  third.socket.write(short);
  await until(() => third.received().length >= MESSAGE_BYTES, "the third was answered");
  expect(serverError.read(third.received())).toBe(16);
  for (const { received } of [first, second]) {
    await until(() => received().length >= 2 * MESSAGE_BYTES, "the results came", { timeoutMs: ADMIT_MS + SLACK_MS });
    expect(serverError.read(received().subarray(MESSAGE_BYTES))).toBe(110);
  }
  // They are still connected, and hold nothing but that.
  await serves();
  for (const { socket } of [first, second, third]) socket.destroy();
  await unharmed();
});
