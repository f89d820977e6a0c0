import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allowedCpus } from "../../src/cli/placement.js";
import { isAlive } from "../support/processes.js";
import { until } from "../support/until.js";
import { checked } from "../support/result-schema.js";
import { Cli, cli } from "./support.js";

const CPUS = allowedCpus().length;
const TESTS = ["tcp_stream", "tcp_rr", "tcp_crr"];
function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return children[0] === "" ? undefined : Number(children[0]);
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
    await using self = new Cli(["-i", "100ms"]);
    await self.saying("stderr", /^1 of \d: tcp_stream, 1 flow\n +0\.0-0\.\d s {2}/);
    const server = childOf(self.pid) ?? 0;
    self.child.kill("SIGINT");
    const { stdout, code } = await self.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^test +flows .*\ntcp_stream +1 .* aborted\n/);
    expect(stdout).toContain("Loopback shows");
    expect(isAlive(server)).toBe(false);
  });

  it("takes its server along when it is killed", async () => {
    await using self = new Cli(["--quiet"]);
    await until(() => childOf(self.pid) !== undefined, "it has started its server");
    const server = childOf(self.pid) ?? 0;
    self.child.kill("SIGKILL");
    expect((await self.finished).code).toBe("SIGKILL");
    await until(() => !isAlive(server), "its server has ended");
  });
});
