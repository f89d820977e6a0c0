import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResultsDocument } from "../../src/result/documents.js";
import { checked } from "../support/result-schema.js";
import { Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "150ms", "--warmup", "20ms", "--interval", "50ms"];

let server: Cli;
let port: string;
let folder: string;
let file: string;
beforeAll(async () => {
  ({ server, port } = await startServer("--quiet"));
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-suite-"));
  file = join(folder, "a.json");
});
afterEach(() => rm(folder, { recursive: true }));

const suite = (...args: string[]) => cli("suite", "127.0.0.1", "-p", port, ...QUICK, ...args);

async function saved(): Promise<ResultsDocument> {
  return JSON.parse(await readFile(file, "utf8")) as ResultsDocument;
}

async function matrixOf(...runs: object[]): Promise<string> {
  const path = join(folder, "m.json");
  await writeFile(path, JSON.stringify({ runs }));
  return path;
}

describe("cnb-load suite", () => {
  it("runs a preset, prints one table, and leaves every run with both hosts in one file", async () => {
    const { stdout, stderr, code } = await suite(
      "--preset",
      "quick",
      "--flows",
      "2",
      "--label",
      "net A",
      "--output",
      file,
    );
    expect(code, stderr).toBe(0);
    const document = await saved();
    expect(document).toMatchObject({ schema: "cnb-load/results/1", label: "net A", matrix: { name: "quick" } });
    const runs = document.results.map(checked);
    const expected = [1, 2].flatMap((flows) =>
      ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"].map((test) => [test, flows, "completed"]),
    );
    expect(runs.map(({ test, spec, state }) => [test, spec.flows, state])).toEqual(expected);
    expect(document.matrix?.runs).toEqual(runs.map(({ spec }) => spec));
    for (const { host } of runs) expect(host.remote).toBeDefined();
    expect(stdout.trimEnd().split("\n")).toHaveLength(9);
    expect(stderr).toMatch(/^1 of 8: tcp_stream, 1 flow \(ETA \d+s for all\)\n {2}tcp_stream, 1 flow: /);
    expect(await readdir(folder)).toEqual(["a.json"]);
  });

  it("tells runs apart that differ in one option only", async () => {
    const matrix = await matrixOf({ test: "tcp_stream", sendSize: "4K" }, { test: "tcp_stream" });
    const { stdout, stderr, code } = await suite("--matrix", matrix, "--output", file);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^test .*\ntcp_stream --send-size 4K +1 .*\ntcp_stream --send-size \S+ +1 .*\n$/);
    expect(stderr).toMatch(
      /^1 of 2: tcp_stream, 1 flow, --send-size 4K \(ETA .*\n {2}tcp_stream, 1 flow, --send-size 4K: /,
    );
    const report = await cli("report", file);
    expect(report.stdout).toContain("\ntcp_stream --send-size 4K ");
  });

  it("goes on with a file: skips what is in it and says so", async () => {
    const matrix = await matrixOf({ test: "tcp_rr" }, { test: "tcp_stream" });
    expect((await suite("--matrix", matrix, "--output", file, "--label", "A")).code).toBe(0);
    const first = await saved();
    await writeFile(file, JSON.stringify({ ...first, results: first.results.slice(0, 1) }));
    const { stdout, stderr, code } = await suite("--matrix", matrix, "--output", file);
    expect(code).toBe(0);
    expect(stderr).toContain(`1 of 2 runs are in ${file} already and are skipped\n2 of 2: tcp_stream`);
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    const second = await saved();
    expect(second.results[0]).toEqual(first.results[0]);
    expect(second).toMatchObject({ label: "A", startedAt: first.startedAt, results: [{}, { test: "tcp_stream" }] });
  });

  it("keeps what is done on SIGINT, and ends with 130", async () => {
    const matrix = await matrixOf({ test: "tcp_rr" }, { test: "tcp_rr", flows: 2 });
    const args = ["suite", "127.0.0.1", "-p", port, "--matrix", matrix, "--output", file, "--warmup", "0"];
    await using process = new Cli([...args, "--duration", "500ms", "--settle", "1h"]);
    await process.saying("stderr", /settling for 1h\n/);
    process.child.kill("SIGINT");
    const { code, stdout, stderr } = await process.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^test .*\ntcp_rr +1 .*\n$/);
    expect(stderr).toContain(`1 left; resume with --output ${file}\n`);
    expect((await saved()).results).toHaveLength(1);
  });

  it("reports a file that can no longer be written, goes on, and prints the table", async () => {
    const matrix = await matrixOf({ test: "tcp_rr" }, { test: "tcp_stream" });
    // Files of at most 4 KiB: room for the empty document, none for a result.
    const script = `ulimit -f 4; trap '' XFSZ; exec "$0" "$@"`;
    const args = ["suite", "127.0.0.1", "-p", port, ...QUICK, "--matrix", matrix, "--output", file];
    await using process = new Cli(args, { prefix: ["bash", "-c", script] });
    const { stdout, stderr, code } = await process.finished;
    expect(code).toBe(1);
    expect(stderr).toContain(`cnb-load: cannot write ${file}: EFBIG`);
    expect(stderr).toContain("the runs go on");
    expect(stdout.trimEnd().split("\n")).toHaveLength(3);
    expect((await saved()).results).toEqual([]);
    expect((await readdir(folder)).toSorted()).toEqual(["a.json", "m.json"]);
  });

  it.each([
    [["--preset", "fast"], '--preset: expected one of cni, quick, got "fast"'],
    [["--preset", "cni", "--matrix", "m"], "--preset and --matrix exclude each other"],
    [["--matrix", "/nowhere"], "--matrix: cannot read /nowhere: ENOENT"],
    [["--flows", "0"], "--flows: expected a whole number"],
    [["--threads", "4"], "--threads: expected at most one per flow (1), got 4"],
    [["--settle", "soon"], "--settle: expected a time"],
    [["--label", ""], "--label: expected a text of 1 to 200 characters"],
    [["--output", "/proc/version"], "/proc/version: expected a result"],
  ])("refuses %j with exit code 2, before anything is run or written", async (args, message) => {
    const { stdout, stderr, code } = await cli("suite", "127.0.0.1", "-p", port, ...args);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toMatch(/^cnb-load: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });

  it("ends with 3 at the first run where no server listens", async () => {
    const { code, stderr } = await cli("suite", "127.0.0.1", "-p", "1", "--output", file, "--quiet");
    expect(code).toBe(3);
    expect(stderr.split("\n")).toHaveLength(2);
    expect((await saved()).results).toEqual([]);
  });
});
