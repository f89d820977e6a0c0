import { describe, expect, it } from "vitest";
import type { RunOptions } from "../../../src/options/spec.js";
import type { Interval, Result } from "../../../src/result/model.js";
import { type RunSettings, startRun } from "../../../src/run/run.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { schemaProblems } from "../result/schema-problems.js";
import { addon, failure, server } from "./fixture.js";

const start = (options: Partial<RunOptions> = {}, settings: RunSettings = {}) =>
  startRun(
    { test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: 0.04, warmup: 0, ...options },
    settings,
    fakeEnvironment(addon),
  );

/** Runs that the server saw. */
const sessions = () => addon.sessions.filter(({ plan }) => plan.role === "server").length;

describe("a repeated run", () => {
  it("runs as often as asked, and makes one result of it", async () => {
    const told: [number, Result][] = [];
    const result = await start({ runs: 3 }, { onRun: (one, run) => told.push([run, one]) });
    expect(schemaProblems("result", result)).toEqual([]);
    expect(sessions()).toBe(3);
    expect(told.map(([run]) => run)).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ state: "completed", spec: { runs: 3 }, repeat: { runs: 3, confidence: 0.95 } });
    expect(result.runs?.map(({ perSecond }) => perSecond)).toEqual(told.map(([, one]) => one.transactions?.perSecond));
    expect(result.transactions?.count).toBe(told.reduce((sum, [, one]) => sum + (one.transactions?.count ?? 0), 0));
    expect(result.latency?.count).toBe(result.transactions?.count);
  });

  it("numbers its intervals", async () => {
    const run = start({ runs: 2, interval: 0.02 });
    const seen: Interval[] = [];
    for await (const interval of run) seen.push(interval);
    expect(new Set(seen.map((interval) => interval.run))).toEqual(new Set([1, 2]));
    expect((await run).intervals).toEqual(seen);
  });

  it("of one run is that run, without any word of repetition", async () => {
    const result = await start({ runs: 1, interval: 0.02 }, { onRun: () => expect.fail("not repeated") });
    for (const absent of ["repeat", "runs"]) expect(result).not.toHaveProperty(absent);
    expect(result.intervals.every((interval) => !("run" in interval))).toBe(true);
  });

  it("ends as soon as the interval is narrow enough, but not before the third", async () => {
    // The fake addon's rate is the same in every run but for the clock: within 50 % whatever the machine does.
    const result = await start({ untilCi: "50%" });
    expect(result.repeat?.runs).toBe(3);
    expect(result.repeat?.halfWidthPct).toBeLessThanOrEqual(50);
  });

  it("ends with the last run allowed where the interval stays wide, and says so", async () => {
    // Every session counts another number of flows, so that rates differ by as much.
    let round = 0;
    addon.onConstruct = (plan) => {
      if (plan.role === "client") plan.flows = ++round;
    };
    const result = await start({ untilCi: "1%", runs: 4 });
    expect(result.repeat?.runs).toBe(4);
    expect(result.warnings.map(({ code }) => code)).toContain("WIDE_INTERVAL");
  });

  it("keeps the completed runs when it is aborted", async () => {
    const abort = new AbortController();
    const result = await start({ runs: 20 }, { signal: abort.signal, onRun: (_, run) => run === 2 && abort.abort() });
    expect(result).toMatchObject({ state: "aborted", repeat: { runs: 2 } });
    expect(result.runs).toHaveLength(2);
    expect(schemaProblems("result", result)).toEqual([]);
  });

  it("gives what was measured of the first run when that is aborted", async () => {
    const abort = new AbortController();
    const run = start({ runs: 3, duration: 60, interval: 0.01 }, { signal: abort.signal });
    for await (const _ of run) {
      abort.abort();
      break;
    }
    const result = await run;
    expect(result).toMatchObject({ state: "aborted" });
    expect(result).not.toHaveProperty("repeat");
    expect(result.window.durationNs).toBeGreaterThan(0);
  });

  it("rejects with the completed runs when a later one fails", async () => {
    let sessionsMade = 0;
    addon.onConstruct = (plan) => {
      if (plan.role !== "server" || ++sessionsMade !== 3) return;
      throw Object.assign(new Error("too many open files"), { syscall: "listen", code: "EMFILE", errno: -24 });
    };
    const { code, result } = await failure(start({ runs: 5 }));
    expect(result).toMatchObject({ state: "failed", repeat: { runs: 2 }, error: { code } });
    expect(schemaProblems("result", result)).toEqual([]);
  });

  it("rejects without a result when the first one does not start", async () => {
    await server.close();
    await expect(start({ runs: 3 })).rejects.toMatchObject({ code: "ERR_CONNECT" });
    await expect(start({ runs: 3 })).rejects.not.toHaveProperty("result");
  });
});
