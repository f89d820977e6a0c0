import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { CnbLoadError } from "../../../src/errors.js";
import type { RunOptions } from "../../../src/options/spec.js";
import { emptyEnd } from "../../../src/run/half.js";
import { startRun } from "../../../src/run/run.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { type Answers, HONEST, stubServer } from "../../fakes/stub-server.js";
import { until } from "../../fakes/until.js";

const addon = new FakeAddon();
/** For those who never answer. */
const timing = { replyMs: 300, reportMs: 300, hurryMs: 100, silenceMs: 500 };
const END = emptyEnd({ hostname: "h", kernel: "k", arch: "x64", cpus: 1, nodeVersion: "v20", version: "0" });

afterEach(() => {
  expect(addon.live).toEqual([]);
});

async function failure(port: number, options: Partial<RunOptions> = {}): Promise<CnbLoadError> {
  const run = startRun(
    { test: "tcp_rr", host: "127.0.0.1", port, duration: 0.03, warmup: 0, ...options },
    {},
    fakeEnvironment(addon, { timing }),
  );
  const outcome: unknown = await run.catch((error: unknown) => error);
  expect(outcome).toMatchObject({ name: "CnbLoadError" });
  return outcome as CnbLoadError;
}

describe("a client", () => {
  it("takes an honest stub for a server", async () => {
    await using server = await stubServer({ ...HONEST, finish: [{ type: "report", end: END }] });
    const run = startRun(
      { test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: 0.03, warmup: 0 },
      {},
      fakeEnvironment(addon),
    );
    expect((await run).state).toBe("completed");
    expect(server.heard).toEqual(["hello", "setup", "open", "go", "close", "finish"]);
  });

  it.each<[string, Answers, object]>([
    ["another version", { hello: [{ type: "hello", protocol: 7, version: "9.9" }] }, { code: "ERR_VERSION" }],
    ["no hello", { hello: [] }, { code: "ERR_TIMEOUT" }],
    [
      "a refusal",
      { hello: [{ type: "refuse", code: "ERR_BUSY", message: "no\u001b[2Jw", retryAfterMs: 5 }] },
      { code: "ERR_BUSY", retryAfterMs: 5 },
    ],
    [
      "a refusal of unknown code",
      { setup: [{ type: "refuse", code: "ERR_NEW", message: "m" }] },
      { code: "ERR_PEER_FAILED" },
    ],
    ["no answer to setup", { setup: [] }, { code: "ERR_TIMEOUT" }],
    ["a bad data port", { setup: [{ type: "prepared", dataPort: 0 }] }, { code: "ERR_PROTOCOL" }],
    ["answers out of turn", { setup: [{ type: "going" }] }, { code: "ERR_PROTOCOL" }],
    ["no answer to open", { open: [] }, { code: "ERR_TIMEOUT" }],
    ["no answer to go", { go: [] }, { code: "ERR_TIMEOUT" }],
    ["no answer to close", { close: [] }, { code: "ERR_TIMEOUT" }],
    ["no report", { finish: [] }, { code: "ERR_TIMEOUT" }],
    ["a misshapen report", { finish: [{ type: "report", end: { engine: 1 } }] }, { code: "ERR_PROTOCOL" }],
    [
      "a failure with a misshapen report",
      { go: [{ type: "fail", code: "ERR_TRAFFIC", message: "m", end: [] }] },
      { code: "ERR_TRAFFIC" },
    ],
    ["endless answers", { finish: Array<object>(50).fill({ type: "closed" }) }, { code: "ERR_PROTOCOL" }],
  ])("copes with %s", async (_what, answers, expected) => {
    await using server = await stubServer({ ...HONEST, ...answers });
    expect(await failure(server.port)).toMatchObject(expected);
  });

  it("says so where no cnb-load server answers", async () => {
    await using ssh = await stubServer({}, (socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n"));
    expect(await failure(ssh.port)).toMatchObject({
      code: "ERR_PROTOCOL",
      message: expect.stringMatching(/^127\.0\.0\.1 port \d+ does not answer as a cnb-load server: /) as string,
    });
    await using mute = await stubServer({}, (socket) => socket.destroy());
    expect((await failure(mute.port)).message).toContain("does not answer as a cnb-load server");
  });

  it("does not print control characters that a server sends", async () => {
    await using server = await stubServer({ hello: [{ type: "refuse", code: "ERR_BUSY", message: "a\u001b[2Jb\nc" }] });
    expect((await failure(server.port)).message).toBe("the server: a [2Jb c");
  });

  it.each(["closes", "resets", "falls silent"])(
    "keeps what it measured when the server %s in the window",
    async (how) => {
      let socket: Socket | undefined;
      await using server = await stubServer(HONEST, (connected) => (socket = connected));
      const failing = failure(server.port, { duration: 60 });
      await until(() => server.heard.includes("go"));
      if (how === "closes") socket?.destroy();
      if (how === "resets") socket?.resetAndDestroy();
      if (how === "falls silent") server.stopPings();
      const error = await failing;
      expect(error.code).toBe("ERR_PEER_LOST");
      expect(error.result).toMatchObject({ state: "failed", window: {}, host: { local: {} } });
    },
  );
});
