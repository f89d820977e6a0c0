/** The two bins and the two commands as users start them, over loopback and with real traffic. */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startServer } from "./support.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

function start(file: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [join(DIST, file), ...args], { encoding: "utf8", timeout: 30_000 });
}

async function serverPort(): Promise<string> {
  const { server, port } = await startServer();
  cleanUps.push(() => server[Symbol.asyncDispose]());
  return port;
}

describe("cnb-netperf", () => {
  it.each(["TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR"])("runs %s against cnb-load server", async (test) => {
    const port = await serverPort();
    const { status, stdout, stderr } = start(
      ...(["netperf-bin.js", "-H", "127.0.0.1", "-p", port, "-t", test, "-l", "300ms", "-P", "0", "-c", "-C"] as const),
      ...["--", "-k", "THROUGHPUT,ELAPSED_TIME,LOCAL_BYTES_SENT,REMOTE_BYTES_RECVD,REMOTE_CPU_METHOD,P99_LATENCY"],
    );
    expect([status, stderr]).toEqual([0, ""]);
    const values = Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("=") as [string, string]),
    );
    expect(Number(values["THROUGHPUT"])).toBeGreaterThan(0);
    expect(Number(values["ELAPSED_TIME"])).toBeGreaterThan(0.25);
    expect(Number(values["P99_LATENCY"])).toBeGreaterThan(0);
    expect(values["REMOTE_CPU_METHOD"]).toBe("S");
    if (test === "TCP_STREAM") expect(values["REMOTE_BYTES_RECVD"]).toBe(values["LOCAL_BYTES_SENT"]);
  });

  it.each([
    ["TCP_RR", "-50", 50],
    ["TCP_CRR", "-50", 50],
  ])("%s with -l %s ends after as many transactions", async (test, length, count) => {
    const port = await serverPort();
    const { status, stdout } = start(
      ...(["netperf-bin.js", "-H", "127.0.0.1", "-p", port, "-t", test, "-l", length, "-P", "0"] as const),
      ...["--", "-r", "10,20", "-k", "LOCAL_BYTES_SENT,LOCAL_BYTES_RECVD,REMOTE_BYTES_SENT"],
    );
    expect(status).toBe(0);
    const sent = `LOCAL_BYTES_SENT=${count * 10}\n`;
    expect(stdout).toBe(`${sent}LOCAL_BYTES_RECVD=${count * 20}\nREMOTE_BYTES_SENT=${count * 20}\n`);
  });

  it("is also a command of cnb-load, and says what it cannot do", () => {
    expect(start("main.js", "netperf", "-V").stdout).toBe("Netperf version 2.7.1\n");
    const { status, stderr } = start("main.js", "netperf", "-t", "UDP_STREAM");
    expect([status, stderr]).toEqual([1, "netperf: the test UDP_STREAM is not supported by cnb-load yet\n"]);
  });
});

describe("cnb-netserver", () => {
  it("fails in the background as in the foreground where it cannot listen", async () => {
    const port = await serverPort();
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
});
