import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { resultOf } from "../support/result-schema.js";
import { type Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "600ms", "--warmup", "100ms"];

let server: Cli;
let port: string;
beforeAll(async () => {
  ({ server, port } = await startServer("--quiet"));
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  expect(await server.finished).toMatchObject({ code: 0, stderr: "" });
});

describe("a run", () => {
  it.each([
    ["stream", "tcp_stream", / {2}throughput +\S+ \S+bit\/s received/],
    ["maerts", "tcp_maerts", / {2}throughput +\S+ \S+bit\/s received/],
    ["rr", "tcp_rr", / {2}round trip +\d/],
    ["crr", "tcp_crr", / {2}connect +\d/],
    ["cc", "tcp_cc", / {2}connect +\d/],
    ["udp-stream", "udp_stream", / {2}lost +[\d,]+ \([\d.]+ %\)/],
    ["udp-rr", "udp_rr", / {2}round trip +\d/],
  ])("of %s prints a table with what was measured", async (command, test, figure) => {
    const { stdout, stderr, code } = await cli(command, "127.0.0.1", "--port", port, ...QUICK);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^${test} to 127\\.0\\.0\\.1: 1 flow, 0\\.\\d s\n`));
    expect(stdout).toMatch(figure);
    expect(stdout).toContain("warning SAME_HOST: ");
  });

  it.each(["stream", "maerts", "rr", "crr"])("of %s with --json writes one valid document", async (command) => {
    const { stdout, stderr, code } = await cli(command, "--json", "127.0.0.1", "--port", port, "-P", "3", ...QUICK);
    expect(code).toBe(0);
    const result = resultOf({ stdout });
    expect(result).toMatchObject({ state: "completed", test: `tcp_${command}`, spec: { flows: 3, intervalNs: 1e9 } });
    expect(result.flows).toHaveLength(3);
    expect(stderr).toContain("warning SAME_HOST: ");
  });

  it("keeps a rate, and says what it was and how far it fell behind", async () => {
    const paced = ["--rate", "500/s", "--spacing", "constant", ...QUICK];
    for (const command of ["rr", "crr"]) {
      const { stdout, code } = await cli(command, "--json", "127.0.0.1", "--port", port, ...paced);
      expect(code).toBe(0);
      const { spec, openLoop, transactions, window } = resultOf({ stdout });
      expect(spec).toMatchObject({ ratePerSecond: 500, spacing: "constant" });
      const due = (500 * window.durationNs) / 1e9;
      expect((transactions?.count ?? 0) + (openLoop?.backlog ?? 0)).toBeGreaterThanOrEqual(Math.floor(due) - 2);
    }
    const table = await cli("rr", "127.0.0.1", "--port", port, "--rate", "2k/s", ...QUICK);
    expect(table.stdout).toMatch(/ {2}open loop +2 k\/s asked for \(poisson\), \d+ due and not yet sent at the end\n/);
  });

  it("keeps a bandwidth", async () => {
    const paced = ["--bandwidth", "20M", "-P", "3", ...QUICK];
    for (const command of ["stream", "maerts"]) {
      const { stdout, code } = await cli(command, "--json", "127.0.0.1", "--port", port, ...paced);
      expect(code).toBe(0);
      const { spec, throughput } = resultOf({ stdout });
      expect(spec.bandwidthBitsPerSecond).toBe(20e6);
      // Without it, it would be a hundred times as much. What a busy host left lying before the window may come within.
      expect(throughput?.bitsPerSecond).toBeLessThanOrEqual(1.5 * 20e6);
      expect(throughput?.bytes).toBeGreaterThan(0);
    }
  });

  it("keeps quiet with --quiet, but for the result", async () => {
    const json = await cli("rr", "127.0.0.1", "--json", "--port", port, "--quiet", "-i", "50ms", ...QUICK);
    expect([json.stderr, json.code]).toEqual(["", 0]);
    expect(resultOf(json).intervals.length).toBeGreaterThan(1);
    const table = await cli("--quiet", "rr", "127.0.0.1", "--port", port, ...QUICK);
    expect([table.stderr, table.code]).toEqual(["", 0]);
    expect(table.stdout).toContain("tcp_rr to 127.0.0.1");
    expect(table.stdout).not.toContain("warning");
  });

  it("prints a line for every interval with -i, and nothing of the kind without", async () => {
    const asked = await cli("rr", "127.0.0.1", "--json", "--port", port, "-i", "50ms", ...QUICK);
    const lines = asked.stderr.split("\n").filter((line) => /^ +\d+\.\d-\d+\.\d s {2}\S+ ?k?\/s, p50 /.test(line));
    expect(lines).toHaveLength(resultOf(asked).intervals.length);
    expect(lines.length).toBeGreaterThan(1);
    const silent = await cli("rr", "127.0.0.1", "--port", port, ...QUICK);
    expect(silent.stderr).toBe("");
  });
});

describe("--json FILE", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cnb-load-cli-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("writes the file as a whole, through a symbolic link, and prints the table", async () => {
    await writeFile(join(folder, "real.json"), "old");
    await symlink("real.json", join(folder, "link.json"));
    const { stdout, code } = await cli("rr", "127.0.0.1", "-p", port, "--json", join(folder, "link.json"), ...QUICK);
    expect(code).toBe(0);
    expect(stdout).toContain("tcp_rr to 127.0.0.1");
    expect(resultOf({ stdout: await readFile(join(folder, "real.json"), "utf8") }).state).toBe("completed");
    expect((await readdir(folder)).toSorted()).toEqual(["link.json", "real.json"]);
  });

  it.each(["missing/result.json", "."])(
    "that cannot be written (%s) is told before anything is measured",
    async (name) => {
      const { stdout, stderr, code } = await cli(
        "rr",
        "127.0.0.1",
        "-p",
        port,
        `--json=${join(folder, name)}`,
        ...QUICK,
      );
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^cnb-load: --json: expected a file that can be written, got [^\n]+\n$/);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it("on a full device is reported, and the device stays one", async () => {
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "-p", port, "--json", "/dev/full", ...QUICK);
    expect(code).toBe(1);
    expect(stdout).toMatch(/ {2}round trip +\d/);
    expect(stderr).toMatch(/^cnb-load: cannot write \/dev\/full: ENOSPC[^\n]*\n$/);
    expect((await stat("/dev/full")).isCharacterDevice()).toBe(true);
  });
});
