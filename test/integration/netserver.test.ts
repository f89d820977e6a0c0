/** cnb-netserver in the background of one host, cnb-netperf on the other. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Network } from "../support/netns.js";
import { Program } from "../support/program.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { until } from "../support/until.js";

const DIST = join(import.meta.dirname, "../../dist/cli");

describeIf(rootAndNetns())("cnb-netserver without -D", () => {
  let network: Network;
  beforeEach(() => {
    network = new Network();
  });
  afterEach(() => {
    network[Symbol.dispose]();
  });

  async function netperf(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
    const command = [process.execPath, join(DIST, "netperf-bin.js"), "-P", "0", "-v", "0", ...args];
    await using client = new Program(command, { prefix: network.client.prefix });
    return await client.finished;
  }

  it("is gone to the background when it listens, serves both families, and ends on a signal", async () => {
    const [node, bin] = [process.execPath, join(DIST, "netserver-bin.js")];
    const [file, ...rest] = [...network.server.prefix, node, bin];
    const { status, stdout } = spawnSync(file, rest, { encoding: "utf8", timeout: 30_000 });
    expect([status, stdout]).toEqual([
      0,
      "Starting netserver with host 'IN(6)ADDR_ANY' port '12865' and family AF_UNSPEC\n",
    ]);
    const { ipv4, ipv6 } = network.server;
    for (const host of [ipv4[0] ?? "", ipv6[0] ?? ""]) {
      for (const test of ["TCP_RR", "UDP_RR"]) {
        const { code, stderr } = await netperf("-H", host, "-t", test, "-l", "-20");
        expect([code, stderr]).toEqual([0, ""]);
      }
    }
    const pids = network.server.pids();
    expect(pids).toHaveLength(1);
    for (const pid of pids) process.kill(pid, "SIGTERM");
    await until(() => network.server.pids().length === 0, "it has ended");
  });

  it("a host that falls silent in the middle of a test costs the server nothing but its deadline", async () => {
    await using server = new Program([process.execPath, join(DIST, "netserver-bin.js"), "-D"], {
      prefix: network.server.prefix,
    });
    await server.saying("stdout", /^Starting netserver/);
    await using client = new Program(
      [process.execPath, join(DIST, "netperf-bin.js"), "-H", network.server.ipv4[0] ?? "", "-t", "TCP_RR", "-l", "60"],
      { prefix: network.client.prefix },
    );
    await client.saying("stdout", /REQUEST\/RESPONSE/);
    const connections = (): string[] => network.server.sockets().filter((line) => line.startsWith("ESTAB"));
    await until(() => connections().length === 2, "control and data connections are up");
    network.client.deleteLink();
    await until(() => connections().length === 0, "the server has let go of them", { timeoutMs: 30_000 });
    expect(server.running).toBe(true);
  });
});
