import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resultOf } from "../support/result-schema.js";
import { Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "100ms", "--warmup", "20ms"];

let server: Cli;
let port: string;
beforeAll(async () => {
  ({ server, port } = await startServer("--quiet"));
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  await server.finished;
});

describe("--runs", () => {
  it("says before how long it will take, then tells each run, and prints their mean", async () => {
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "--port", port, "--runs", "3", ...QUICK);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^3 runs, about 1s\nrun 1: \S+ k?\/s, p50 [^\n]+\nrun 2: [^\n]+\nrun 3: [^\n]+\n$/);
    expect(stdout).toMatch(/^tcp_rr to 127\.0\.0\.1: 1 flow, 3 runs, 0\.3 s in all\n/);
    expect(stdout).toMatch(/^ {2}mean +\S+ k?\/s ± \S+ % \(3 runs, 95 % confidence\)$/m);
    expect(stdout).toMatch(/^ {2}run +rate +p50 /m);
  });

  it("gives one JSON result that holds every run", async () => {
    const { stdout, stderr, code } = await cli(
      "stream",
      "127.0.0.1",
      "--port",
      port,
      "--runs=2",
      "--json",
      "--quiet",
      ...QUICK,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const result = resultOf({ stdout });
    expect(result.repeat).toMatchObject({ runs: 2, confidence: 0.95 });
    expect(result.runs).toHaveLength(2);
    const rates = result.runs?.map(({ bitsPerSecond }) => bitsPerSecond ?? NaN) ?? [];
    expect(result.throughput?.bitsPerSecond).toBeCloseTo((rates[0]! + rates[1]!) / 2, 3);
  });

  it("keeps the completed runs when it is interrupted", async () => {
    await using run = new Cli(["rr", "127.0.0.1", "--port", port, "--runs", "1000", "--json", ...QUICK]);
    await run.saying("stderr", /^run 2: /m);
    run.child.kill("SIGINT");
    const finished = await run.finished;
    expect(finished.code).toBe(130);
    const result = resultOf(finished);
    expect(result.state).toBe("aborted");
    expect(result.repeat?.runs).toBeGreaterThanOrEqual(2);
    expect(result.runs).toHaveLength(result.repeat?.runs ?? NaN);
  });
});

describe("--until-ci", () => {
  it("ends by itself, after three runs at least", async () => {
    const args = ["--until-ci", "50%", "--runs", "4", "--json"];
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "--port", port, ...args, ...QUICK);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^3 to 4 runs until the mean is known to 50 %, about 1s to 2s\n/);
    const { repeat } = resultOf({ stdout });
    expect(repeat?.runs).toBeGreaterThanOrEqual(3);
    if (repeat?.runs === 3) expect(repeat.halfWidthPct).toBeLessThanOrEqual(50);
  });

  it.each([
    [["--until-ci", "2", "--runs", "2"], /^cnb-load: --runs: expected at least 3 /],
    [["--until-ci", "often"], /^cnb-load: --until-ci: expected 0 or a percentage [^\n]* got "often"\n$/],
    [["--runs", "0"], /^cnb-load: --runs: expected a whole number from 1 to 1000, got "0"\n$/],
  ])("refuses %j", async (args, line) => {
    const { stderr, code } = await cli("rr", "127.0.0.1", "--port", port, ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(line);
  });
});
