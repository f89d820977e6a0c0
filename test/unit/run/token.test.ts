/** Who may come where a token is asked for. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Token, makeNonce } from "../../../src/control/token.js";
import type { CnbLoadError } from "../../../src/errors.js";
import type { RunOptions } from "../../../src/options/spec.js";
import { inspectServer } from "../../../src/run/inspect.js";
import { startRun } from "../../../src/run/run.js";
import { type Server, type SessionSummary, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { HELLO, rawClient } from "../../fakes/raw-client.js";
import { HONEST, stubServer } from "../../fakes/stub-server.js";
import { until } from "../../fakes/until.js";

const TOKEN = "an open sesame of some length";
const OTHER = "a closed sesame of some length";

let addon: FakeAddon;
let summaries: SessionSummary[];
let server: Server;

beforeEach(() => {
  addon = new FakeAddon();
  summaries = [];
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  expect(addon.live).toEqual([]);
});

async function start(options: { token?: string } = {}): Promise<void> {
  const onSession = (summary: SessionSummary) => void summaries.push(summary);
  server = await startServer({ host: "127.0.0.1", port: 0, onSession, ...options }, fakeEnvironment(addon));
}

const run = (options: Partial<RunOptions> = {}, port = server.port) =>
  startRun(
    { test: "tcp_rr", host: "127.0.0.1", port, duration: 0.02, warmup: 0, ...options },
    {},
    fakeEnvironment(addon),
  );

const failureOf = async (promise: PromiseLike<unknown>): Promise<CnbLoadError> =>
  (await promise.then(
    () => expect.unreachable("should have been refused"),
    (error: unknown) => error,
  )) as CnbLoadError;

/** What both ends say of a client that was turned away before it could ask for anything. */
async function expectRefusal(options: Partial<RunOptions>, message: RegExp): Promise<void> {
  const error = await failureOf(run(options));
  expect(error).toMatchObject({ code: "ERR_AUTH", message: expect.stringMatching(message) as string });
  await until(() => summaries.length === 1);
  expect(summaries).toMatchObject([{ outcome: "refused", error: { code: "ERR_AUTH" } }]);
  expect(JSON.stringify([summaries, error, error.stack])).not.toContain("sesame");
  expect(addon.sessions.filter(({ plan }) => plan.role === "server")).toEqual([]);
}

describe("a server with a token", () => {
  it("serves clients that have it, and neither result nor spec holds it", async () => {
    await start({ token: TOKEN });
    const result = await run({ token: `${TOKEN}\n` });
    expect(result.state).toBe("completed");
    expect(JSON.stringify(result)).not.toContain("sesame");
    expect(Object.keys(result.spec)).not.toContain("token");
    const repeated = await run({ token: TOKEN, runs: 2 });
    expect(repeated.runs).toHaveLength(2);
    const best = await run({ token: TOKEN, best: true, test: "udp_rr" });
    expect(best.best?.probes.length).toBeGreaterThan(0);
    expect(JSON.stringify([repeated, best])).not.toContain("sesame");
  });

  it("tells its account to clients that have it", async () => {
    await start({ token: TOKEN });
    const address = { host: "127.0.0.1", port: server.port, family: "any" } as const;
    const { signal } = new AbortController();
    const { sameHost } = await inspectServer({ ...address, token: TOKEN }, signal, fakeEnvironment(addon));
    expect(sameHost).toBe(true);
    await expect(inspectServer(address, signal, fakeEnvironment(addon))).rejects.toMatchObject({ code: "ERR_AUTH" });
  });

  it("turns away who has none, and who has another", async () => {
    await start({ token: TOKEN });
    await expectRefusal({}, /^the server: this server asks for a token \(--token-file\), and the client has none$/);
    summaries = [];
    await expectRefusal({ token: OTHER }, /^the server: the client's token is not this server's \(--token-file\)$/);
  });

  it("tells a stranger nothing but that, before or after a wrong proof", async () => {
    await start({ token: TOKEN });
    const anonymous = await rawClient(server.port);
    anonymous.say(HELLO);
    expect(await anonymous.hearAll()).toMatchObject([{ type: "refuse", code: "ERR_AUTH" }]);
    const clientNonce = makeNonce();
    for (const proof of ["", "0".repeat(64), "x".repeat(100), new Token(OTHER).prove("client", exchangeOf())]) {
      const client = await rawClient(server.port);
      client.say({ ...HELLO, nonce: clientNonce });
      expect(Object.keys((await client.hear()) as object).sort()).toEqual([
        ...["bootId", "nonce", "protocol", "type", "version"],
      ]);
      client.say({ type: "prove", proof });
      expect(await client.hearAll()).toEqual([
        { type: "refuse", code: "ERR_AUTH", message: "the client's token is not this server's (--token-file)" },
      ]);
    }
  });

  it("takes no proof of another handshake, nor its own", async () => {
    await start({ token: TOKEN });
    const clientNonce = makeNonce();
    const first = await rawClient(server.port);
    first.say({ ...HELLO, nonce: clientNonce });
    const { nonce: serverNonce } = (await first.hear()) as { nonce: string };
    const proof = new Token(TOKEN).prove("client", { clientNonce, serverNonce, binding: "plain" });
    first.say({ type: "prove", proof });
    const proven = (await first.hear()) as { type: string; proof: string };
    expect(proven.type).toBe("proven");
    first.destroy();
    for (const replayed of [proof, proven.proof]) {
      const second = await rawClient(server.port);
      second.say({ ...HELLO, nonce: clientNonce });
      expect(((await second.hear()) as { nonce: string }).nonce).not.toBe(serverNonce);
      second.say({ type: "prove", proof: replayed });
      expect(await second.hearAll()).toMatchObject([{ type: "refuse", code: "ERR_AUTH" }]);
    }
  });

  it.each<[string, string, object]>([
    ["skips the proof", "00".repeat(32), { type: "setup", spec: {}, sources: [] }],
    ["has a nonce of another form", "00", { type: "prove", proof: "00".repeat(32) }],
  ])("refuses a client that %s", async (_what, nonce, next) => {
    await start({ token: TOKEN });
    const client = await rawClient(server.port);
    client.say({ ...HELLO, nonce }, next);
    const said = await client.hearAll();
    expect(said.at(-1)).toMatchObject({ type: "refuse", code: "ERR_PROTOCOL" });
    expect(addon.sessions).toEqual([]);
  });
});

const exchangeOf = () => ({ clientNonce: makeNonce(), serverNonce: makeNonce(), binding: "plain" });

describe("a client with a token", () => {
  it("is turned away by a server without one, which says what is missing", async () => {
    await start();
    await expectRefusal(
      { token: TOKEN },
      /^the server: the client has a token and this server has none; start it with/,
    );
  });

  it.each([
    ["shows no sign of the token", {}, /^the server shows no sign of a token/],
    [
      "makes a proof up",
      { hello: [{ ...HELLO, nonce: "11".repeat(32) }], prove: [{ type: "proven", proof: "00".repeat(32) }] },
      /^the server does not know the token/,
    ],
  ])("goes no further with a server that %s", async (_what, answers, message) => {
    await start();
    await using impostor = await stubServer({ ...HONEST, ...answers });
    const error = await failureOf(run({ token: TOKEN }, impostor.port));
    expect(error).toMatchObject({ code: "ERR_AUTH", message: expect.stringMatching(message) as string });
    expect(impostor.heard).not.toContain("setup");
  });

  it("does not take its own proof for the server's", async () => {
    await start();
    const answers = { ...HONEST, hello: [{ ...HELLO, nonce: "11".repeat(32) }], prove: [] };
    await using impostor = await stubServer(answers, (socket) => {
      socket.on("data", (chunk: Buffer) => {
        const proof = /"proof":"([0-9a-f]{64})"/.exec(chunk.toString("latin1"))?.[1];
        if (proof === undefined) return;
        const body = JSON.stringify({ type: "proven", proof });
        socket.write(`\0\0\0${String.fromCharCode(body.length)}${body}`, "latin1");
      });
    });
    expect(await failureOf(run({ token: TOKEN }, impostor.port))).toMatchObject({
      code: "ERR_AUTH",
      message: expect.stringMatching(/^the server does not know the token/) as string,
    });
  });

  it("names the option that is at fault", async () => {
    await start();
    for (const [options, message] of [
      [{ token: "short" }, /^token: expected 16 to 4096 bytes, got 5/],
      [{ token: TOKEN, tokenFile: "x" }, /^token: tokenFile was given as well/],
      [{ token: 5 as unknown as string }, /^token: expected a text, got a value of type number/],
      [{ tokenFile: "/nonesuch" }, /^tokenFile: cannot read \/nonesuch: ENOENT/],
      [{ tokenFile: "" }, /^tokenFile: expected the name of a file, got ""/],
    ] as const) {
      expect(await failureOf(run(options))).toMatchObject({
        code: "ERR_INVALID_OPTION",
        message: expect.stringMatching(message) as string,
      });
      await expect(startServer({ ...options, port: 0 })).rejects.toThrow(message);
    }
  });
});
