/** Many at once: sessions, connections that say nothing, and garbage. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeFrame, PREAMBLE } from "../../src/control/codec.js";
import { run } from "../../src/run/index.js";
import { HELLO, rawClient } from "../fakes/raw-client.js";
import { Program } from "../support/program.js";
import { sessionThreads } from "../support/resources.js";
import { until } from "../support/until.js";
import { HOST, Site, serves } from "./site.js";
import { properSpec } from "./specs.js";

/** `npm run test:faults` takes its time. */
const IN_A_ROW = process.env["CNB_LOAD_FAULTS_LONG"] === "1" ? 1000 : 200;
const AT_ONCE = 200;
const PROGRAMS = 4;
const SILENT = 10_000;

let site: Site;
beforeEach(async () => {
  site = await Site.start(["--max-sessions", String(AT_ONCE)]);
});
afterEach(() => site[Symbol.asyncDispose]());

const TESTS = ["tcp_rr", "tcp_stream", "tcp_crr", "tcp_maerts", "udp_rr", "udp_stream"] as const;

async function session(index: number): Promise<string> {
  const test = TESTS[index % TESTS.length]!;
  return (await run({ test, host: HOST, port: site.port, duration: "1ms", warmup: 0, engine: "epoll" })).state;
}

it(`${IN_A_ROW} sessions in a row`, { timeout: 300_000 }, async () => {
  for (let i = 0; i < IN_A_ROW; i++) expect(await session(i)).toBe("completed");
  await site.unharmed();
});

it(`${AT_ONCE} sessions at once`, async () => {
  const program = join(import.meta.dirname, "programs/crowd.mjs");
  const each = String(AT_ONCE / PROGRAMS);
  const crowds = Array.from(
    { length: PROGRAMS },
    () => new Program([process.execPath, program, String(site.port), each]),
  );
  // Each has a thread of its own and one that works.
  await until(() => sessionThreads(site.server.pid).length >= 2 * AT_ONCE, "all are there", { timeoutMs: 40_000 });
  for (const crowd of crowds) {
    const { code, stdout, stderr } = await crowd.finished;
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: AT_ONCE / PROGRAMS }, () => "completed"));
  }
  await site.unharmed();
});

/** Resolves when it is connected, or was turned away. */
async function knock(): Promise<Socket> {
  const socket = connect(site.port, HOST).on("error", () => undefined);
  await Promise.race([once(socket, "connect"), once(socket, "close")]);
  return socket;
}

it(`${SILENT} connections that say nothing, while others are served`, async () => {
  const silent: Socket[] = [];
  while (silent.length < SILENT) silent.push(...(await Promise.all(Array.from({ length: 250 }, knock))));
  // Those that have not been turned away are there still.
  expect(silent.some(({ closed }) => !closed)).toBe(true);
  const at = performance.now();
  await serves(site.port);
  expect(performance.now() - at).toBeLessThan(2000);
  for (const socket of silent) socket.destroy();
  await site.unharmed();
});

it("a flood of garbage, to the control port and to a session's data ports", async () => {
  const garbage = randomBytes(1 << 20);
  const flood = async (port: number, first: Buffer): Promise<void> => {
    const socket = connect(port, HOST).on("error", () => undefined);
    socket.write(first);
    for (let i = 0; i < 8 && !socket.closed; i++) {
      if (!socket.write(garbage)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => 0);
    }
    socket.destroy();
  };
  const beginnings = [garbage, PREAMBLE, Buffer.concat([PREAMBLE, Buffer.from("00000010", "hex")])];
  const hello = Buffer.concat([PREAMBLE, encodeFrame(HELLO, 1000)]);
  await Promise.all(
    Array.from({ length: 40 }, (_, index) => flood(site.port, [...beginnings, hello][index % 4] ?? hello)),
  );
  // A session of each protocol that waits for its flows.
  for (const test of ["tcp_rr", "udp_rr"] as const) {
    const guest = await rawClient(site.port);
    guest.say(HELLO, { type: "setup", spec: properSpec(test), sources: [] });
    await guest.hear();
    const { dataPort } = (await guest.hear()) as { dataPort: number };
    if (test === "tcp_rr") {
      await Promise.all(Array.from({ length: 20 }, () => flood(dataPort, garbage)));
    } else {
      const socket = createSocket("udp4");
      for (let i = 0; i < 2000; i++) socket.send(garbage.subarray(0, (i * 7) % 1400), dataPort, HOST);
      await new Promise((resolve) => socket.send("", dataPort, HOST, resolve));
      socket.close();
    }
    guest.destroy();
  }
  await site.unharmed();
});

it("peers that read nothing, and peers that send a byte now and then", { timeout: 60_000 }, async () => {
  const spec = properSpec("tcp_maerts");
  // Its flow comes, shows the cookie, and never takes a byte of what the server sends.
  const deaf = await rawClient(site.port);
  deaf.say(HELLO, { type: "setup", spec, sources: [] });
  await deaf.hear();
  const { dataPort, cookie } = (await deaf.hear()) as { dataPort: number; cookie: string };
  const flow = connect(dataPort, HOST)
    .on("error", () => undefined)
    .pause();
  flow.write(Buffer.concat([Buffer.from(cookie, "hex"), Buffer.alloc(4)]));
  expect(await deaf.hear()).toEqual({ type: "ready" });
  deaf.say({ type: "open" }, { type: "go" });
  expect(await deaf.hear()).toEqual({ type: "opened" });
  expect(await deaf.hear()).toEqual({ type: "going" });
  deaf.say({ type: "close" }, { type: "finish" });
  expect(await deaf.hear()).toEqual({ type: "closed" });
  expect(await deaf.hear()).toMatchObject({ type: "report" });
  flow.destroy();
  deaf.destroy();

  // A byte of a proper conversation at a time: alive by the looks of it, and too slow for every deadline.
  const words = Buffer.concat([
    PREAMBLE,
    encodeFrame(HELLO, 1000),
    encodeFrame({ type: "setup", spec, sources: [] }, 1e5),
  ]);
  const slow = await knock();
  let sent = 0;
  const timer = setInterval(() => slow.write(words.subarray(sent, ++sent)), 1000);
  const at = performance.now();
  slow.resume();
  await until(() => slow.closed, "the slow one was turned away", { timeoutMs: 20_000 });
  clearInterval(timer);
  expect(performance.now() - at).toBeLessThan(15_000);
  await site.unharmed();
});
