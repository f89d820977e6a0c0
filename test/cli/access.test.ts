/** Who may use a server, from the command line. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates, openssl } from "../support/certificates.js";
import { Program } from "../support/program.js";
import { describeIf } from "../support/requires.js";
import { Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "100ms", "--warmup", "0"];
const SECRET = "an open sesame of some length";

let folder: string;
let token: string;
let other: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-access-"));
  [token, other] = [join(folder, "token"), join(folder, "other")];
  await writeFile(token, `${SECRET}\n`, { mode: 0o600 });
  await writeFile(other, `another ${SECRET}\n`, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

describe("--token-file", () => {
  it("lets in clients with the server's token, and tells the others in a line", async () => {
    const { server, port } = await startServer("--token-file", token);
    await using _ = server;
    const rr = (...args: string[]) => cli("rr", "127.0.0.1", "-p", port, ...QUICK, ...args);
    const events = await rr("--token-file", token, "--ndjson");
    expect(events.code, events.stderr).toBe(0);
    const refused = [await rr(), await rr("--token-file", other), await cli("doctor", "127.0.0.1", "-p", port)];
    expect(refused.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual([
      [4, "", "cnb-load: the server: this server asks for a token (--token-file), and the client has none\n"],
      [4, "", "cnb-load: the server: the client's token is not this server's (--token-file)\n"],
      [4, "", "cnb-load: the server: this server asks for a token (--token-file), and the client has none\n"],
    ]);
    const doctor = await cli("doctor", "127.0.0.1", "-p", port, "--token-file", token, "--json=-");
    expect(doctor.code, doctor.stderr).toBe(0);
    const [line, ...log] = (await stopped(server)).trim().split("\n");
    expect(line).toMatch(/^cnb-load server listening/);
    expect(log.map((text) => text.replace(/, .*(completed)$/, ", $1"))).toEqual([
      "127.0.0.1: tcp_rr, completed",
      "127.0.0.1: refused: this server asks for a token (--token-file), and the client has none",
      "127.0.0.1: refused: the client's token is not this server's (--token-file)",
      "127.0.0.1: refused: this server asks for a token (--token-file), and the client has none",
      "127.0.0.1: tcp_rr, completed",
    ]);
    expect(JSON.stringify([events, refused, doctor, server.stdout, server.stderr])).not.toContain("sesame");
  });

  it("serves a suite, whose file holds neither the secret nor where it is", async () => {
    const { server, port } = await startServer("--token-file", token);
    await using _ = server;
    const matrix = join(folder, "matrix.json");
    await writeFile(matrix, JSON.stringify({ runs: [{ test: "tcp_rr" }, { test: "tcp_stream" }] }));
    const output = join(folder, "results.json");
    const args = ["suite", "127.0.0.1", "-p", port, "--matrix", matrix, "--output", output, ...QUICK];
    expect((await cli(...args)).code).toBe(4);
    const { code, stderr } = await cli(...args, "--token-file", token);
    expect(code, stderr).toBe(0);
    const saved = await readFile(output, "utf8");
    expect((JSON.parse(saved) as { results: unknown[] }).results).toHaveLength(2);
    expect(saved).not.toMatch(/sesame|token/);
  });

  it("by stdin serves every run of a suite", async () => {
    const { server, port } = await startServer("--token-file", token);
    await using _ = server;
    const matrix = join(folder, "both.json");
    await writeFile(matrix, JSON.stringify({ runs: [{ test: "tcp_rr" }, { test: "tcp_stream" }] }));
    const args = ["suite", "127.0.0.1", "-p", port, "--matrix", matrix, "--output", join(folder, "both.results.json")];
    await using suite = new Cli([...args, ...QUICK, "--token-file", "-"], { stdin: "pipe" });
    suite.child.stdin?.end(SECRET);
    const { code, stderr } = await suite.finished;
    expect(code, stderr).toBe(0);
  });

  it("can come by stdin", async () => {
    await using server = new Cli(["server", "--host", "127.0.0.1", "--port", "0", "--token-file", "-"], {
      stdin: "pipe",
    });
    server.child.stdin?.end(SECRET);
    const [, port = ""] = await server.saying("stdout", /:(\d+)\n/);
    const { code, stderr } = await cli("rr", "127.0.0.1", "-p", port, ...QUICK, "--token-file", token);
    expect(code, stderr).toBe(0);
  });

  it("keeps netperf's clients out unless the server says otherwise", async () => {
    const netperf = async (port: string) => {
      const args = ["-H", "127.0.0.1", "-p", port, "-l", "1", "-t", "TCP_RR", "-P", "0"];
      await using client = new Cli(["netperf", ...args]);
      return await client.finished;
    };
    const { server, port } = await startServer("--token-file", token);
    await using _ = server;
    const refused = await netperf(port);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toBe("the server does not let this client in\n");
    expect(await stopped(server)).toMatch(
      /\n127\.0\.0\.1: refused: this server asks for a token, which netperf does not know/,
    );
    const lenient = await startServer("--token-file", token, "--allow-netperf");
    await using __ = lenient.server;
    const served = await netperf(lenient.port);
    expect(served.code, served.stderr).toBe(0);
  });

  it.each([
    ["missing", ["/nonesuch"], /^cnb-load: --token-file: cannot read \/nonesuch: ENOENT\n$/],
    [
      "open to all",
      ["/proc/version"],
      /^cnb-load: --token-file: \/proc\/version is open to other users \(mode 0\d+\);/,
    ],
    ["empty", ["/dev/null"], /^cnb-load: --token-file: /],
    ["left out", [], /^cnb-load: --token-file: expected a value, got none\n$/],
  ])("that is %s is bad usage for client and server", async (_what, value, message) => {
    for (const command of [
      ["rr", "127.0.0.1"],
      ["server", "--port", "0"],
      ["doctor", "127.0.0.1"],
    ]) {
      const { stdout, stderr, code } = await cli(...command, "--token-file", ...value);
      expect([stdout, code]).toEqual(["", 2]);
      expect(stderr).toMatch(message);
    }
  });
});

describeIf(openssl)("TLS", () => {
  it("is spoken where both ends ask for it, and a line says so where one does not", async () => {
    const files = makeCertificates(folder);
    const { tlsCert, tlsKey } = files.server;
    const { server, port } = await startServer("--tls-cert", tlsCert, "--tls-key", tlsKey);
    await using _ = server;
    const rr = (...args: string[]) => cli("rr", "127.0.0.1", "-p", port, ...QUICK, ...args);
    const { code, stderr } = await rr("--tls-ca", files.ca);
    expect(code, stderr).toBe(0);
    const plain = await rr();
    expect([plain.code, plain.stderr]).toEqual([
      ...[4, "cnb-load: the server: this server speaks TLS only (--tls, --tls-ca)\n"],
    ]);
    const untrusting = await rr("--tls");
    expect([untrusting.code, untrusting.stderr]).toEqual([
      4,
      expect.stringMatching(
        /^cnb-load: the certificate of 127\.0\.0\.1 is not accepted: [^\n]*\(--tls-ca, --tls-name\)\n$/,
      ),
    ]);
    const doctor = await cli("doctor", "127.0.0.1", "-p", port, "--tls-ca", files.ca, "--json=-");
    expect(doctor.code, doctor.stderr).toBe(0);
    const misused = await rr("--tls-cert", files.client.tlsCert);
    expect([misused.code, misused.stderr]).toEqual([
      ...[2, "cnb-load: --tls-cert: needs the certificate's key in --tls-key\n"],
    ]);
    expect(await stopped(server)).toMatch(/refused: this server speaks TLS only/);
    const lenient = await startServer();
    await using __ = lenient.server;
    const refused = await cli("rr", "127.0.0.1", "-p", lenient.port, ...QUICK, "--tls-ca", files.ca);
    expect([refused.code, refused.stderr]).toEqual([
      ...[4, "cnb-load: 127.0.0.1 speaks no TLS: its server was started without --tls-cert\n"],
    ]);
  });
});

describe("netserver with a passphrase", () => {
  it("serves no client of cnb-load, which knows none", async () => {
    const bin = join(import.meta.dirname, "../../dist/cli/netserver-bin.js");
    await using server = new Program([process.execPath, bin, "-D", "-p", "0", "-Z", "sesame"]);
    const [, port = ""] = await server.saying("stdout", /port '(\d+)'/);
    const { code, stderr } = await cli("rr", "127.0.0.1", "-p", port, ...QUICK);
    expect(code).toBe(4);
    expect(stderr).toMatch(/asks for a token/);
  });
});

async function stopped(server: Cli): Promise<string> {
  server.child.kill("SIGTERM");
  return (await server.finished).stdout;
}
