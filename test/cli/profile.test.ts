/** Flame graphs of ordinary runs. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Result } from "../../src/index.js";
import { type Finished, Program } from "../support/program.js";
import { allOf, command, itIf, requirement } from "../support/requires.js";
import { startServer } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");

let folder = "";
let temporary = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cnb-load-test-"));
  temporary = join(folder, "tmp");
  mkdirSync(temporary);
});
afterEach(() => {
  // Whatever perf wrote is gone, or was named in the result.
  expect(readdirSync(temporary)).toEqual([]);
  rmSync(folder, { recursive: true });
});

/** With a PATH of one folder where a `path` is given. */
async function rr(port: string, to: string, path = process.env["PATH"]): Promise<Finished> {
  const environment = ["env", `TMPDIR=${temporary}`, `PATH=${path ?? ""}`];
  const run = ["rr", "127.0.0.1", "-p", port, "-l", "500ms", "--warmup", "100ms", "--json", "--profile", to];
  await using client = new Program([...environment, process.execPath, MAIN, ...run]);
  return await client.finished;
}

/** A folder with a `perf` of this text. */
function perfOf(script: string): string {
  const path = join(folder, "bin");
  mkdirSync(path);
  writeFileSync(join(path, "perf"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(path, "perf"), 0o755);
  return path;
}

function titleOf(svg: string): string {
  return /font-weight="bold">([^<]*)</.exec(readFileSync(svg, "utf8"))?.[1] ?? "";
}

const perf = allOf(requirement("root", process.getuid?.() === 0), command("perf"));

itIf(perf)("both ends record exactly their window, each on its own host", async () => {
  const [ours, theirs] = [join(folder, "new", "client"), join(folder, "server")];
  const { server, port } = await startServer("--profile", theirs);
  await using _ = server;
  const { stdout, code } = await rr(port, ours);
  expect(code).toBe(0);
  const { profile } = JSON.parse(stdout) as Result;
  const { samples, samplesPerSecond, svg, folded, speedscope } = profile!;
  expect(readdirSync(ours).sort()).toEqual([folded, speedscope, svg].map((file) => basename(file)).sort());
  const stacks = readFileSync(folded, "utf8").trim().split("\n");
  const counts = stacks.map((line) => Number(/ (\d+)$/.exec(line)?.[1]));
  expect(counts.reduce((sum, count) => sum + count)).toBe(samples);
  expect(samples).toBeGreaterThan(0);
  // Half a second of every CPU is all that there was, and a second more for a perf that was late to hear that it was over.
  expect(samples / samplesPerSecond).toBeLessThan(1.5 * availableParallelism());
  expect(stacks.some((line) => line.startsWith("cnb-worker") && line.includes("tcp_sendmsg"))).toBe(true);
  expect(titleOf(svg)).toMatch(/^tcp_rr, 1 flow, the client's host, /);
  const { profiles } = JSON.parse(readFileSync(speedscope, "utf8")) as { profiles: { endValue: number }[] };
  expect(profiles[0]?.endValue).toBe(samples);

  const [, graph = ""] = await server.saying("stdout", /completed, flame graph in (\S+\.svg)\n/);
  expect(titleOf(graph)).toMatch(/^tcp_rr, 1 flow, the server's host, /);
  expect(readdirSync(theirs)).toHaveLength(3);
});

it("without perf nothing is sent", async () => {
  const { server, port } = await startServer();
  await using _ = server;
  const { stdout, stderr, code } = await rr(port, folder, join(folder, "nothing"));
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("profile: perf is not on PATH (Debian's package linux-perf)");
  expect(server.stdout).not.toContain("tcp_rr");
});

it("where perf may not, its reason is told", async () => {
  const path = perfOf("echo 'No permission to enable cpu-clock event.' >&2; exit 255");
  const { stderr, code } = await rr("1", folder, path);
  expect(code).toBe(1);
  expect(stderr).toContain("profile: perf record: No permission to enable cpu-clock event.");
});

it("a profile that fails after the run is a warning: the figures are there", async () => {
  const record = 'while read word <&3; do echo ack >&4; [ "$word" = stop ] && exit 0; done; exit 0';
  const path = perfOf(`[ "$1" = record ] && { ${record}; }; echo 'bad file' >&2; exit 1`);
  const { server, port } = await startServer();
  await using _ = server;
  const { stdout, code } = await rr(port, folder, path);
  expect(code).toBe(0);
  const { warnings, profile, transactions } = JSON.parse(stdout) as Result;
  expect(profile).toBeUndefined();
  expect(transactions?.count).toBeGreaterThan(0);
  expect(warnings).toContainEqual(
    expect.objectContaining({ code: "NO_PROFILE", message: "profile: perf script: bad file" }),
  );
});

it("a server that cannot profile does not start", async () => {
  const path = join(folder, "nothing");
  const environment = ["env", `TMPDIR=${temporary}`, `PATH=${path}`];
  await using server = new Program([...environment, process.execPath, MAIN, "server", "-p", "0", "--profile", folder]);
  const { stderr, code } = await server.finished;
  expect(code).toBe(1);
  expect(stderr).toContain("profile: perf is not on PATH");
});
