import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allowedCpus } from "../../src/cli/placement.js";
import { checked } from "./schema.js";
import { Cli, cli } from "./support.js";

const CPUS = allowedCpus().length;
const TESTS = ["tcp_stream", "tcp_rr", "tcp_crr"];
const POLL_MS = 20;

/** Waits for a condition for as long as the test may take. */
async function until<T>(probe: () => T | undefined): Promise<T> {
  for (;;) {
    const value = probe();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return children[0] === "" ? undefined : Number(children[0]);
}

/** True once it is gone for good: a zombie that waits for a parent that never reaps would still be there. */
function isGone(pid: number): true | undefined {
  try {
    process.kill(pid, 0);
    return undefined;
  } catch {
    return true;
  }
}

/** Bytes of data that loopback has carried: tells that traffic flows. */
function loopbackBytes(): number {
  const line = /^\s*lo:\s*(\d+)/m.exec(readFileSync("/proc/net/dev", "utf8"));
  return Number(line?.[1]);
}

describe("cnb-load without a command", () => {
  it("measures stream, rr and crr with one flow and with one per CPU, and prints one table", async () => {
    const { stdout, stderr, code } = await cli("--json=-");
    expect([stderr, code]).toEqual(["", 0]);
    const { schema, results } = JSON.parse(stdout) as { schema: string; results: unknown[] };
    expect(schema).toBe("cnb-load/results/1");
    const runs = results.map(checked);
    const flows = CPUS > 1 ? [1, CPUS] : [1];
    const expected = flows.flatMap((count) => TESTS.map((test) => [test, count, "completed"]));
    expect(runs.map(({ test, spec, state }) => [test, spec.flows, state])).toEqual(expected);
    for (const { flows: each } of runs) {
      for (const { cpu, remoteCpu } of each) if (cpu !== undefined && CPUS > 1) expect(remoteCpu).not.toBe(cpu);
    }
  });

  it("ends with 130 on SIGINT, prints what it has, and leaves no server behind", async () => {
    const before = loopbackBytes();
    await using self = new Cli([]);
    const server = await until(() => childOf(self.pid));
    await until(() => (loopbackBytes() > before + 1e8 ? true : undefined));
    self.child.kill("SIGINT");
    const { stdout, stderr, code } = await self.finished;
    expect([stderr, code]).toEqual(["", 130]);
    expect(stdout).toMatch(/^test +flows .*\ntcp_stream +1 .* aborted\n/);
    expect(stdout).toContain("Loopback shows");
    expect(isGone(server)).toBe(true);
  });

  it("takes its server along when it is killed", async () => {
    await using self = new Cli(["--quiet"]);
    const server = await until(() => childOf(self.pid));
    self.child.kill("SIGKILL");
    expect((await self.finished).code).toBe("SIGKILL");
    await until(() => isGone(server));
  });
});
