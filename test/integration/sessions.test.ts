/** One server and its many clients: side by side, one after another, and strangers among them. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeFrame } from "../../src/control/codec.js";
import type { RunOptions } from "../../src/options/spec.js";
import { run } from "../../src/run/index.js";
import { HELLO, rawClient } from "../fakes/raw-client.js";
import { Cli } from "../support/program.js";
import { anonymousBytes } from "../support/processes.js";
import { Resources } from "../support/resources.js";
import { checked } from "../support/result-schema.js";
import { until } from "../support/until.js";
import { checkResult } from "./invariants.js";

const host = "127.0.0.1";
const QUICK = { host, duration: "100ms", warmup: "20ms" } as const;
const TESTS = ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr", "tcp_cc", "udp_stream", "udp_rr"] as const;

let server: Cli;
let port: number;
let before: Resources;
beforeEach(async () => {
  server = new Cli(["server", "--host", host, "--port", "0"]);
  port = Number((await server.saying("stdout", /^cnb-load server listening on 127\.0\.0\.1:(\d+)\n/))[1]);
  // The first session loads what the server loads on use, for good.
  await run({ test: "tcp_rr", port, ...QUICK });
  before = Resources.of(server);
});
afterEach(() => server[Symbol.asyncDispose]());

async function measure(options: Pick<RunOptions, "test"> & Partial<RunOptions>): Promise<void> {
  checkResult(checked(JSON.parse(JSON.stringify(await run({ ...QUICK, port, ...options })))));
}

describe("clients side by side", () => {
  it("each get their own session and result", async () => {
    const engines = ["block", "epoll"] as const;
    const runs = TESTS.flatMap((test) =>
      engines.map((engine) => measure({ test, engine, flows: 3, interval: "50ms" })),
    );
    await Promise.all(runs);
    await before.restored(5000);
  });

  it("leave alone those that were aborted in their midst", async () => {
    const abort = new AbortController();
    const endless = { host, port, duration: "10m", warmup: 0, interval: "20ms" } as const;
    const aborted = run({ test: "tcp_crr", ...endless, flows: 2 }, { signal: abort.signal });
    const going = run({ test: "tcp_stream", ...endless }, { signal: abort.signal });
    for await (const _ of aborted) break;
    for await (const _ of going) break;
    await measure({ test: "tcp_rr", flows: 2 });
    abort.abort();
    expect([(await aborted).state, (await going).state]).toEqual(["aborted", "aborted"]);
    await before.restored(5000);
  });
});

describe("clients one after another", () => {
  it("leave no thread and no descriptor on either end, and no memory on the server", async () => {
    const own = Resources.of(process);
    // What one session may take, times the number of sessions, is far more than what is tolerated.
    const flows = 32;
    const round = async (): Promise<void> => {
      for (const test of TESTS) await measure({ test, flows, engine: "block", duration: "50ms", warmup: 0 });
    };
    await round();
    const bytes = anonymousBytes(server.pid);
    for (let i = 0; i < 5; i++) await round();
    await before.restored(5000);
    await own.restored(5000);
    expect(anonymousBytes(server.pid) - bytes).toBeLessThan(40e6);
  });
});

describe("strangers", () => {
  async function knock(to: number, from: string, greeting: string | Buffer): Promise<Socket> {
    const socket = connect({ host, port: to, localAddress: from }).on("error", () => undefined);
    await once(socket, "connect");
    if (greeting.length > 0) socket.write(greeting);
    return socket;
  }

  /** However: being shown out may be a reset, for which once() would reject. */
  const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once("close", resolve));

  it("do not keep clients from being served, and are shown out", async () => {
    const greetings = [
      ...["", "C", "CNB-", "CNB-LOAD", "GET / HTTP/1.1\r\nHost: here\r\n\r\n", "\u0000".repeat(700)],
      Buffer.concat([Buffer.from("CNB-LOAD"), Buffer.from([0xff, 0xff, 0xff, 0xff])]),
      Buffer.concat([Buffer.from("CNB-LOAD"), encodeFrame({ type: "go" }, 1000)]),
      Buffer.concat([Buffer.from("CNB-LOAD"), encodeFrame({ type: "hello", protocol: 77 }, 1000)]),
      Buffer.concat([Buffer.from("CNB-LOAD"), encodeFrame(HELLO, 1000)]),
    ];
    const crowd = await Promise.all(
      Array.from({ length: 10 * greetings.length }, (_, i) => knock(port, host, greetings[i % greetings.length] ?? "")),
    );
    await measure({ test: "tcp_rr" });
    // Silent ones have 5 s to say something.
    await before.restored(10_000);
    for (const socket of crowd) socket.destroy();
    await measure({ test: "tcp_crr" });
  });

  it("are not served on the data port of a TCP_CRR session, nor do they spoil it", async () => {
    const free = createServer().listen(0, host);
    await once(free, "listening");
    const dataPort = (free.address() as AddressInfo).port;
    free.close();
    await once(free, "close");
    const abort = new AbortController();
    const engine = "epoll";
    const test = run(
      { test: "tcp_crr", host, port, dataPort, duration: "10m", warmup: 0, interval: "20ms", flows: 2, engine },
      { signal: abort.signal },
    );
    for await (const _ of test) break;
    const stranger = await knock(dataPort, "127.0.0.9", "x");
    let answer = "";
    stranger.setEncoding("utf8").on("data", (text: string) => (answer += text));
    await closed(stranger);
    expect(answer).toBe("");
    abort.abort();
    expect((await test).state).toBe("aborted");
  });

  it("are not let into a session whose cookie they do not know", async () => {
    const client = await rawClient(port);
    const spec = { ...(await run({ test: "tcp_rr", port, ...QUICK })).spec };
    client.say(HELLO, { type: "setup", spec, sources: [] });
    expect(await client.hear()).toMatchObject({ type: "hello" });
    const prepared = (await client.hear()) as { dataPort: number; cookie: string };
    const cookie = Buffer.from(prepared.cookie, "hex");
    const wrong = Buffer.concat([cookie.subarray(0, 15), Buffer.from([cookie.readUInt8(15) ^ 1]), Buffer.alloc(4)]);
    const stranger = await knock(prepared.dataPort, host, wrong);
    stranger.resume();
    await closed(stranger);
    const flow = await knock(prepared.dataPort, host, Buffer.concat([cookie, Buffer.alloc(4)]));
    expect(await client.hear()).toMatchObject({ type: "ready" });
    client.destroy();
    flow.destroy();
    await before.restored(5000);
    await until(() => server.stdout.includes("failed: "), "the server's log tells of it");
  });
});
