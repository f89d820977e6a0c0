/** netserver's command line as users start it. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Program } from "../support/program.js";
import { startServer } from "./support.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function start(file: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(DIST, file), ...args], { encoding: "utf8", timeout: 30_000 });
}

async function foreground(...args: string[]): Promise<string> {
  const server = new Program([process.execPath, join(DIST, "netserver-bin.js"), "-D", "-p", "0", ...args]);
  cleanUps.push(() => server[Symbol.asyncDispose]());
  const [, port = ""] = await server.saying("stdout", /^Starting netserver .* port '(\d+)'/);
  return port;
}

async function netperf(port: string, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const command = [process.execPath, join(DIST, "netperf-bin.js"), "-p", port, "-P", "0", "-v", "0", ...args];
  await using client = new Program(command);
  return await client.finished;
}

it("fails in the background as in the foreground where it cannot listen", async () => {
  const { server, port } = await startServer();
  cleanUps.push(() => server[Symbol.asyncDispose]());
  for (const extra of [[], ["-D"]]) {
    const { status, stdout } = start("netserver-bin.js", ...extra, "-L", "127.0.0.1", "-p", port);
    expect([status, stdout]).toEqual([
      1,
      `Unable to start netserver with  '127.0.0.1' port '${port}' and family AF_UNSPEC\n`,
    ]);
  }
});

it("names what is wrong with its options", () => {
  const { status, stderr } = start("main.js", "netserver", "-Q");
  expect(status).toBe(1);
  expect(stderr).toContain("netserver: invalid option -- 'Q'");
  expect(start("netserver-bin.js", "-p", "70000").stderr).toContain("-p 70000: expected a port");
});

describe("options", () => {
  it("-4 and -6 choose the family", async () => {
    const reaches = async (port: string, host: string): Promise<unknown> =>
      (await netperf(port, "-H", host, "-t", "TCP_RR", "-l", "-10")).code;
    const ipv4 = await foreground("-4", "-N", "-v", "1", "-n", "2", "-d");
    expect([await reaches(ipv4, "127.0.0.1"), await reaches(ipv4, "::1")]).toEqual([0, 255]);
    // Like netserver's, the wildcard of IPv6 takes both.
    const ipv6 = await foreground("-6");
    expect([await reaches(ipv6, "127.0.0.1"), await reaches(ipv6, "::1")]).toEqual([0, 0]);
  });

  it("-L listens on that address alone", async () => {
    const port = await foreground("-L", "127.0.0.2");
    expect((await netperf(port, "-H", "127.0.0.2", "-t", "TCP_RR", "-l", "-10")).code).toBe(0);
    expect((await netperf(port, "-H", "127.0.0.1", "-t", "TCP_RR", "-l", "-10")).code).toBe(255);
  });

  it("-f serves one after another, and turns nobody away", async () => {
    const port = await foreground("-4", "-f");
    const clients = Array.from({ length: 3 }, () => netperf(port, "-H", "127.0.0.1", "-t", "TCP_RR", "-l", "-200"));
    expect((await Promise.all(clients)).map(({ code }) => code)).toEqual([0, 0, 0]);
  });

  it("-Z wants its passphrase", async () => {
    const port = await foreground("-4", "-Z", "sesame");
    const test = ["-H", "127.0.0.1", "-t", "TCP_RR", "-l", "-10"];
    expect((await netperf(port, ...test, "-Z", "sesame")).code).toBe(0);
    const refused = await netperf(port, ...test, "-Z", "tahini");
    expect([refused.code, refused.stderr]).toEqual([1, "recv_response: partial response received: 0 bytes\n"]);
  });
});
