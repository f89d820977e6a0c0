import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderJson, renderResultsJson } from "../../src/report/json.js";
import { buildResult } from "../../src/result/build.js";
import type { Comparison, Result } from "../../src/result/model.js";
import { counters, histogram, rawRun } from "../unit/result/fixtures.js";
import { schemaProblems } from "../unit/result/schema-problems.js";
import { cli, startServer } from "./support.js";

const times = Array.from({ length: 2000 }, (_, index) => 20_000 + 10 * index);
const single = buildResult(rawRun("tcp_rr", { counters: counters({ transactions: 2000 }), latency: histogram(times) }));
const stream = buildResult(rawRun("tcp_stream", { counters: counters({ bytesSent: 1 }) }));

function repeated(...rates: number[]): Result {
  const run = { startedAt: single.startedAt, durationNs: 10e9, cpu: {} };
  return { ...single, runs: rates.map((perSecond) => ({ ...run, perSecond })) };
}

let folder: string;
const file = (name: string): string => join(folder, `${name}.json`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-compare-"));
  const saved: Record<string, string> = {
    base: renderResultsJson([repeated(990, 1000, 1010), stream], { label: "net A" }),
    worse: renderJson(repeated(890, 900, 910)),
    same: renderJson(repeated(995, 1000, 1005)),
    single: renderJson(single),
    stream: renderJson(stream),
    failed: renderJson({ ...single, state: "failed" }),
    broken: renderJson({ ...single, latency: { ...single.latency, hdr: "HISTFAAAA" } }),
    empty: renderResultsJson([]),
    text: "hello",
  };
  for (const [name, text] of Object.entries(saved)) await writeFile(file(name), text);
});
afterAll(() => rm(folder, { recursive: true }));

describe("cnb-load compare", () => {
  it("prints both sides, the difference, its interval and what it means", async () => {
    const { stdout, stderr, code } = await cli("compare", file("base"), file("worse"));
    expect([stderr, code]).toEqual(["", 0]);
    expect(stdout).toContain(`base  ${file("base")} (net A)\nnew   ${file("worse")}\n`);
    expect(stdout).toMatch(/^rr, 2 flows: 3 runs against 3 runs$/m);
    expect(stdout).toMatch(/^ {2}transactions +1 k\/s +900\/s +-10\.0 % +-1\d\.\d % to -7\.\d % {2}slower$/m);
    expect(stdout).toMatch(/^only in base: stream, 2 flows$/m);
  });

  it("exits with 1 where a regression is shown, and with 0 where none is", async () => {
    const shown = await cli("compare", file("base"), file("worse"), "--fail-on-regression", "3%");
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/slower \(REGRESSION\)\n/);
    expect(shown.stdout).toMatch(/\nregressions of 3 % or more: 1\n$/);
    // A loss of 10 % is no loss of at least 10 %: half of the interval lies on this side of it.
    expect((await cli("compare", file("base"), file("worse"), "--fail-on-regression", "10")).code).toBe(0);
    for (const [base, next] of [
      ["base", "same"],
      ["worse", "base"],
      ["single", "single"],
    ] as const) {
      const none = await cli("compare", file(base), file(next), "--fail-on-regression", "3%");
      expect([none.code, none.stderr]).toEqual([0, ""]);
      expect(none.stdout).toMatch(/\nno regression of 3 % or more is shown/);
    }
  });

  it("says that a single run tells nothing of rates", async () => {
    const { stdout } = await cli("compare", file("single"), file("single"));
    expect(stdout).toMatch(/^ {2}transactions .*one run on a side: cannot tell$/m);
    expect(stdout).toMatch(/^ {2}p50 .*no difference shown, as far as one run each tells$/m);
    expect(stdout).toMatch(/A single run cannot tell how far another one would have been/);
  });

  it("reads what was measured: nothing differs from itself", async () => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    for (const [command, ...more] of [["stream"], ["rr"], ["crr", "--runs", "2"]] as const) {
      const saved = file(`measured-${command}`);
      const run = [command, "127.0.0.1", "--port", port, "--duration", "50ms", "--warmup", "0", "--quiet", ...more];
      expect((await cli(...run, `--json=${saved}`)).code).toBe(0);
      const { stdout, code } = await cli("compare", saved, saved, "--fail-on-regression", "0", "--json");
      expect(code).toBe(0);
      const { pairs } = JSON.parse(stdout) as Comparison;
      expect(pairs).toHaveLength(1);
      const metrics = pairs.flatMap((pair) => pair.metrics);
      expect(metrics.map(({ metric }) => metric)).toContain(command === "stream" ? "throughput" : "latencyP99");
      for (const { differencePct, verdict } of metrics) {
        expect(differencePct).toBe(0);
        expect(["noDifferenceShown", "tooNoisy", "notRepeated"]).toContain(verdict);
      }
    }
  });

  it("with --json tells the outcome on stderr", async () => {
    const { stderr, code } = await cli("compare", file("base"), file("worse"), "--fail-on-regression=3", "--json");
    expect([stderr, code]).toEqual(["regressions of 3 % or more: 1\n", 1]);
  });

  it("writes one JSON document, to stdout or into a file", async () => {
    const { stdout, code } = await cli("compare", file("base"), file("worse"), "--confidence", "90%", "--json");
    const comparison = JSON.parse(stdout) as Comparison;
    expect(code).toBe(0);
    expect(schemaProblems("comparison", comparison)).toEqual([]);
    expect(comparison).toMatchObject({ schema: "cnb-load/comparison/1", confidence: 0.9, regressions: 0 });
    expect(comparison.pairs[0]?.metrics[0]).toMatchObject({
      metric: "transactions",
      verdict: "worse",
      differencePct: -10,
    });
    const saved = file("comparison");
    const beside = await cli("compare", "--json", saved, file("base"), file("worse"), "--confidence=90");
    expect(beside.stdout).toContain("slower");
    expect(JSON.parse(await readFile(saved, "utf8"))).toEqual(comparison);
  });

  it.each([
    ["base", "text", "expected a result (schema cnb-load/result/1)"],
    ["absent", "base", "cannot read"],
    ["base", "broken", "new: latency.hdr: expected an HdrHistogram"],
    ["base", "empty", "nothing to compare: {base} holds rr, 2 flows and stream, 2 flows; {empty} holds no results"],
    ["single", "stream", "nothing to compare: {single} holds rr, 2 flows; {stream} holds stream, 2 flows"],
    ["failed", "single", "nothing to compare: {failed} holds no completed run; {single} holds rr, 2 flows"],
  ])("%s against %s: exit code 2 and one line", async (base, next, message) => {
    const left = base === "base" && next === "broken" ? "single" : base;
    const { stdout, stderr, code } = await cli("compare", file(left), file(next));
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toMatch(/^cnb-load: [^\n]+\n$/);
    expect(stderr).toContain(message.replace(/\{(\w+)\}/g, (_, name: string) => file(name)));
  });

  it.each([
    [
      ["--fail-on-regression", "much"],
      '--fail-on-regression: expected a percentage from 0 to 100 such as 3%, got "much"',
    ],
    [["--fail-on-regression=-3%"], "--fail-on-regression: expected a percentage"],
    [["--confidence", "100%"], '--confidence: expected a percentage from 50 to 99 such as 99%, got "100%"'],
    [["--confidenze", "95%"], "--confidenze: unknown option; did you mean --confidence?"],
    [["third.json"], '"third.json": too many arguments; usage: cnb-load compare BASE NEW [options]'],
  ])("with %j: exit code 2", async (options, message) => {
    const { stdout, stderr, code } = await cli("compare", file("base"), file("worse"), ...options);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toContain(`cnb-load: ${message}`);
  });

  it("needs two files", async () => {
    const { stderr, code } = await cli("compare", file("base"));
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cnb-load: NEW: missing; usage: cnb-load compare /);
  });
});
