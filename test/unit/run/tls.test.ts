/** The control connection under TLS: who may come, who is believed, and what a stranger can do to the door. */
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { ControlTiming } from "../../../src/control/timing.js";
import type { CnbLoadError } from "../../../src/errors.js";
import type { RunOptions, ServeOptions } from "../../../src/options/spec.js";
import { inspectServer } from "../../../src/run/inspect.js";
import { startRun } from "../../../src/run/run.js";
import { type Server, type SessionSummary, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { drain } from "../../fakes/sockets.js";
import { until } from "../../fakes/until.js";
import { type Certificates, makeCertificates, openssl } from "../../support/certificates.js";
import { describeIf } from "../../support/requires.js";

const TOKEN = "an open sesame of some length";

let folder: string;
let files: Certificates;
let addon: FakeAddon;
let summaries: SessionSummary[];
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  addon = new FakeAddon();
  summaries = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  expect(addon.live).toEqual([]);
});

async function start(options: ServeOptions = {}, timing: Partial<ControlTiming> = {}): Promise<Server> {
  const onSession = (summary: SessionSummary) => void summaries.push(summary);
  const server = await startServer(
    { host: "127.0.0.1", port: 0, onSession, ...options },
    fakeEnvironment(addon, { timing }),
  );
  cleanUps.push(() => server.close());
  return server;
}

const run = (port: number, options: Partial<RunOptions> = {}) =>
  startRun(
    { test: "tcp_rr", host: "127.0.0.1", port, duration: 0.02, warmup: 0, ...options },
    {},
    fakeEnvironment(addon),
  );

async function expectRefusal(port: number, options: Partial<RunOptions>, here: RegExp, there: RegExp): Promise<void> {
  const error: unknown = await run(port, options).then(undefined, (reason: unknown) => reason);
  expect(error).toMatchObject({ code: "ERR_AUTH", message: expect.stringMatching(here) as string });
  await until(() => summaries.length > 0);
  const [summary] = summaries.splice(0);
  expect(summary).toMatchObject({
    ...{ peer: "127.0.0.1", outcome: "refused" },
    error: { code: "ERR_AUTH", message: expect.stringMatching(there) as string },
  });
  expect(addon.sessions.filter(({ plan }) => plan.role === "server")).toEqual([]);
}

/** Passes everything on to a port, by `pass`, and keeps what the clients said. */
async function relay(
  port: number,
  pass: (chunk: Buffer, to: Socket) => void,
): Promise<{ port: number; said: Buffer[] }> {
  const said: Buffer[] = [];
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1").setNoDelay(true);
    for (const socket of [client, upstream]) {
      socket.on("error", () => undefined);
      cleanUps.push(() => socket.destroy());
    }
    client.on("data", (chunk) => {
      said.push(chunk);
      pass(chunk, upstream);
    });
    client.on("close", () => upstream.destroy());
    upstream.pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, said };
}

describeIf(openssl)("TLS", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cnb-load-tls-"));
    files = makeCertificates(folder);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it("carries a run from its first byte to its last, whatever the pieces that it comes in", async () => {
    const server = await start({ ...files.server, token: TOKEN });
    const bytewise = await relay(server.port, (chunk, to) => {
      for (const byte of chunk) to.write(Buffer.of(byte));
    });
    const result = await run(bytewise.port, { tlsCa: files.ca, token: TOKEN });
    expect(result.state).toBe("completed");
    expect(JSON.stringify(result)).not.toMatch(/\.pem|\.key|sesame|"tls/);
    const wire = Buffer.concat(bytewise.said).toString("latin1");
    expect(wire.length).toBeGreaterThan(1000);
    expect(wire).not.toMatch(/CNB-|hello|setup|sesame/);
    const address = { host: "127.0.0.1", port: server.port, family: "any", tlsCa: files.ca, token: TOKEN } as const;
    const inspection = await inspectServer(address, new AbortController().signal, fakeEnvironment(addon));
    expect(inspection).toMatchObject({ localAddress: "127.0.0.1", sameHost: true });
  });

  it("believes nobody but whom it was told to believe", async () => {
    const { port } = await start(files.server);
    const gone = /^no TLS with the client: /;
    await expectRefusal(port, { tls: true }, /^the certificate of 127\.0\.0\.1 is not accepted: .*\(--tls-ca/, gone);
    const unknown = { tlsCa: files.stranger.tlsCert };
    await expectRefusal(port, unknown, /^the certificate of 127\.0\.0\.1 is not accepted: /, gone);
    const misnamed = { tlsCa: files.ca, tlsName: "elsewhere.example" };
    await expectRefusal(port, misnamed, /is not accepted: .*elsewhere\.example/, gone);
    expect((await run(port, { tlsCa: files.ca, tlsName: "localhost" })).state).toBe("completed");
    expect((await run(port, { tlsCa: files.ca, host: "localhost", family: "ipv4" })).state).toBe("completed");
  });

  it("is asked for by server and client, and either says so where the other does not", async () => {
    const secured = await start(files.server);
    const only = /this server speaks TLS only \(--tls, --tls-ca\)$/;
    await expectRefusal(secured.port, {}, only, only);
    const plain = await start();
    const none = /^the client speaks TLS, and this server has no certificate/;
    await expectRefusal(plain.port, { tlsCa: files.ca }, /^127\.0\.0\.1 speaks no TLS: its server was started/, none);
    expect((await run(plain.port)).state).toBe("completed");
  });

  it("can ask clients for certificates", async () => {
    const { port } = await start({ ...files.server, tlsCa: files.ca });
    const missing = /this server asks for a client certificate \(--tls-cert, --tls-key\), and the client has none$/;
    await expectRefusal(port, { tlsCa: files.ca }, missing, missing);
    const refused = /the client's certificate is not accepted: [A-Z_]+$/;
    await expectRefusal(port, { tlsCa: files.ca, ...files.stranger }, refused, refused);
    expect((await run(port, { tlsCa: files.ca, ...files.client })).state).toBe("completed");
  });

  it("holds a token's proofs to the connection that they were made for", async () => {
    const server = await start({ ...files.server, token: TOKEN });
    const pem = { cert: readFileSync(files.twin.tlsCert), key: readFileSync(files.twin.tlsKey) };
    // Somebody with a certificate that the client believes, who passes on what both say.
    const middle = createTlsServer({ ...pem, minVersion: "TLSv1.3" }, (client) => {
      const upstream = connectTls({ host: "127.0.0.1", port: server.port, ca: readFileSync(files.ca) });
      for (const socket of [client, upstream]) {
        socket.on("error", () => undefined);
        cleanUps.push(() => socket.destroy());
      }
      client.pipe(upstream).pipe(client);
    }).listen(0, "127.0.0.1");
    await once(middle, "listening");
    cleanUps.push(() => middle.close());
    const { port } = middle.address() as AddressInfo;
    const token = /the client's token is not this server's/;
    await expectRefusal(port, { tlsCa: files.ca, token: TOKEN }, token, token);
    expect((await run(server.port, { tlsCa: files.ca, token: TOKEN })).state).toBe("completed");
  });

  it("gives a handshake so much time, however its bytes come, and goes on serving", async () => {
    const server = await start(files.server, { helloMs: 150 });
    const strangers: Socket[] = [];
    for (const opening of [Buffer.of(22), Buffer.from("\x16\x03\x01\x40\x00", "latin1"), Buffer.alloc(3000, 22)]) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => undefined).write(opening);
      strangers.push(socket);
    }
    // A record of 16 KiB that comes a byte at a time.
    const dribble = setInterval(() => strangers[1]?.write(Buffer.of(0)), 20);
    cleanUps.push(() => clearInterval(dribble));
    await Promise.all(strangers.map((socket) => drain(socket)));
    await until(() => summaries.length === strangers.length);
    for (const { error } of summaries) expect(error?.message).toMatch(/^no TLS with the client: /);
    const silent = connectTls({ host: "127.0.0.1", port: server.port, ca: readFileSync(files.ca) });
    await drain(silent);
    expect((await run(server.port, { tlsCa: files.ca })).state).toBe("completed");
  });

  it("ends with the server even in the middle of a handshake", async () => {
    const server = await start(files.server);
    const stranger = connect(server.port, "127.0.0.1");
    stranger.write(Buffer.from("\x16\x03\x01\x40\x00", "latin1"));
    await once(stranger, "connect");
    const guest = connectTls({ host: "127.0.0.1", port: server.port, ca: readFileSync(files.ca) });
    await once(guest, "secureConnect");
    await Promise.all([server.close(), drain(stranger), drain(guest)]);
  });

  it("names the file that is at fault", async () => {
    const { ca, server, client } = files;
    const garbage = join(folder, "garbage");
    writeFileSync(garbage, "-----BEGIN NOTHING-----\n", { mode: 0o600 });
    const open = join(folder, "open.key");
    copyFileSync(server.tlsKey, open);
    chmodSync(open, 0o644);
    const faults: [Partial<RunOptions & ServeOptions>, RegExp][] = [
      [{ tlsCert: server.tlsCert }, /^tlsCert: needs the certificate's key in tlsKey$/],
      [{ tlsKey: server.tlsKey }, /^tlsKey: needs the key's certificate in tlsCert$/],
      [{ ...server, tlsKey: client.tlsKey }, /^tlsKey: \S+client\.key is not the key of \S+server\.pem$/],
      [{ ...server, tlsKey: open }, /^tlsKey: \S+open\.key is open to other users \(mode 0644\);/],
      [{ ...server, tlsKey: garbage }, /^tlsKey: \S+garbage holds no private key in PEM/],
      [{ ...server, tlsCert: garbage }, /^tlsCert: \S+garbage holds no certificate in PEM$/],
      [{ ...server, tlsCa: "/nonesuch" }, /^tlsCa: cannot read \/nonesuch: ENOENT$/],
    ];
    for (const [options, message] of faults) {
      await expect(startServer({ port: 0, ...options })).rejects.toThrow(message);
      expect(((await run(1, options).catch((error: unknown) => error)) as CnbLoadError).message).toMatch(message);
    }
    await expect(startServer({ port: 0, tlsCa: ca })).rejects.toThrow(/^tlsCa: asks clients for certificates, and the/);
    await expect(run(1, { tlsName: "x" })).rejects.toThrow(/^tlsName: says whose certificate is expected, and no TLS/);
  });
});
