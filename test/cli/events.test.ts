import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Interval, Result } from "../../src/result/model.js";
import { resultOf } from "../support/result-schema.js";
import { Cli, cli, startServer } from "./support.js";

interface Event {
  event: string;
  interval?: Interval;
  result?: Result;
  run?: number;
  code?: string;
  message?: string;
}

const eventsOf = (stdout: string): Event[] => {
  expect(stdout.endsWith("\n")).toBe(true);
  return stdout
    .slice(0, -1)
    .split("\n")
    .map((line) => JSON.parse(line) as Event);
};
const names = (events: readonly Event[]): string[] => events.map(({ event }) => event);
/** Checked against the schema. */
const checked = ({ result }: Event): Result => resultOf({ stdout: JSON.stringify(result) });

describe("--ndjson", () => {
  let server: Cli;
  let port: string;
  let folder: string;
  beforeAll(async () => {
    ({ server, port } = await startServer("--quiet"));
    folder = await mkdtemp(join(tmpdir(), "cnb-load-events-"));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  it("tells of the start, each interval and the result, and leaves a file to --json", async () => {
    const file = join(folder, "result.json");
    const times = ["-l", "500ms", "--warmup", "50ms", "-i", "100ms"];
    const { stdout, code } = await cli("rr", "127.0.0.1", "-p", port, "--ndjson", `--json=${file}`, ...times);
    expect(code).toBe(0);
    const events = eventsOf(stdout);
    expect(names(events)).toEqual(["start", ...events.slice(2).map(() => "interval"), "result"]);
    const result = checked(events.at(-1) as Event);
    expect(result.state).toBe("completed");
    expect(events.flatMap(({ interval }) => interval ?? [])).toEqual(result.intervals);
    expect(events[0]).toMatchObject({ spec: { test: "tcp_rr", intervalNs: 100e6 } });
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual(result);
  });

  it("tells of each of several runs", async () => {
    const times = ["-l", "200ms", "--warmup", "50ms", "--runs", "2"];
    const { stdout, code } = await cli("crr", "127.0.0.1", "-p", port, "--ndjson", "--quiet", ...times);
    expect(code).toBe(0);
    const events = eventsOf(stdout).filter(({ event }) => event !== "interval");
    expect(names(events)).toEqual(["start", "run", "run", "result"]);
    expect(events.map(({ run }) => run)).toEqual([undefined, 1, 2, undefined]);
    expect(checked(events[3] as Event).repeat?.runs).toBe(2);
  });

  it("ends with what was measured when it is interrupted", async () => {
    await using run = new Cli(["stream", "127.0.0.1", "-p", port, "--ndjson", "-l", "10m", "-i", "50ms"]);
    await run.saying("stdout", /"event":"interval"/);
    run.child.kill("SIGINT");
    const { stdout, code } = await run.finished;
    expect(code).toBe(130);
    const last = eventsOf(stdout).at(-1) as Event;
    expect(last.event).toBe("result");
    expect(checked(last).state).toBe("aborted");
  });

  it("tells of an error, on stderr as well", async () => {
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "-p", "1", "--ndjson");
    expect(code).toBe(3);
    const events = eventsOf(stdout);
    expect(names(events)).toEqual(["start", "error"]);
    expect(events[1]).toMatchObject({ code: "ERR_CONNECT" });
    expect(stderr).toBe(`cnb-load: ${events[1]?.message ?? ""}\n`);
  });

  it("does not share stdout with --json", async () => {
    const { stdout, stderr, code } = await cli("rr", "--json", "127.0.0.1", "-p", port, "--ndjson");
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toBe("cnb-load: --ndjson: stdout cannot hold --json as well; give --json a file\n");
  });
});
