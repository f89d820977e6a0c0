import { describe, expect, it } from "vitest";
import type { NativePlan } from "../../../src/native/index.js";
import { parseSize } from "../../../src/options/sizes.js";
import type { RunOptions } from "../../../src/options/spec.js";
import type { Probe } from "../../../src/result/model.js";
import { type RunSettings, startRun } from "../../../src/run/run.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { schemaProblems } from "../result/schema-problems.js";
import { addon, server } from "./fixture.js";

const FILES = {
  "/proc/sys/net/ipv4/tcp_congestion_control": "bbr\n",
  "/proc/sys/net/ipv4/tcp_available_congestion_control": "reno cubic bbr\n",
};

const start = (options: Partial<RunOptions>, settings: RunSettings = {}) =>
  startRun(
    { test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: 0.02, warmup: 0, ...options },
    settings,
    fakeEnvironment(addon, { files: FILES }),
  );

/** A fake session's rate is that of its flows: the receiver's for bulk data, else the client's. */
function makeFaster(times: (plan: NativePlan) => number): void {
  addon.onConstruct = (plan) => {
    plan.flows *= times(plan);
  };
}

describe("best", () => {
  it("finds the engine with the highest rate, and runs with it", async () => {
    makeFaster(({ engine }) => ({ block: 1, epoll: 2, spin: 4, uring: 3 })[engine]);
    const told: Probe[] = [];
    const result = await start({ best: true }, { onProbe: (probe) => told.push(probe) });
    expect(schemaProblems("result", result)).toEqual([]);
    expect(result.best?.chosen).toEqual({ engine: "spin" });
    expect(result.spec).toMatchObject({ engine: "spin", best: true, durationNs: 2e7 });
    expect(result.best?.probes).toEqual(told);
    expect(told.map(({ options }) => options["engine"])).toEqual(expect.arrayContaining(["epoll", "spin", "uring"]));
    expect(told.every(({ perSecond }) => perSecond !== undefined && perSecond > 0)).toBe(true);
  });

  it("leaves alone what was given", async () => {
    makeFaster(({ engine }) => (engine === "uring" ? 5 : 1));
    const result = await start({ best: true, engine: "epoll", flows: 2 });
    expect(result.spec.engine).toBe("epoll");
    expect(result.best?.chosen).not.toHaveProperty("engine");
  });

  it("goes from one find to the next for bulk data", async () => {
    makeFaster(({ role, loop, congestion, sendSizeBytes, rx }) => {
      if (loop !== "receive" || role !== "server") return 1;
      return (congestion === "cubic" ? 2 : 1) * (sendSizeBytes === 1 << 19 ? 2 : 1) * (rx === "trunc" ? 2 : 1);
    });
    const result = await start({ test: "tcp_stream", best: true });
    expect(result.best?.chosen).toMatchObject({ congestion: "cubic", sendSize: "512K", rx: "trunc" });
    expect(result.spec).toMatchObject({ congestion: "cubic", sendSizeBytes: 1 << 19, rx: "trunc" });
    // With what was found before, on every engine.
    const withEngine = result.best?.probes.filter(({ options }) => "engine" in options) ?? [];
    expect(withEngine.map(({ options }) => options["engine"])).toEqual(
      expect.arrayContaining(["epoll", "spin", "uring"]),
    );
    expect(withEngine.filter(({ options }) => options["rx"] !== "trunc")).toEqual([]);
    expect(schemaProblems("result", result)).toEqual([]);
  });

  it.each([
    ["1M", 1],
    ["512K", 2],
    ["256K", 2],
  ])("finds a receiver that gains only beside sends of %s", async (size, usual) => {
    makeFaster(({ role, loop, engine, rx, sendSizeBytes }) => {
      if (loop !== "receive" || role !== "server") return 1;
      const receiver = engine === "spin" && rx === "trunc" ? 4 : 1;
      return Math.min(receiver, sendSizeBytes === parseSize(size) ? 4 : usual);
    });
    const result = await start({ test: "tcp_stream", best: true });
    expect(result.best?.chosen).toEqual({ engine: "spin", rx: "trunc", sendSize: size });
  });

  it("passes over what fails, with the reason", async () => {
    addon.onConstruct = ({ role, engine }) => {
      if (role === "client" && engine === "spin") {
        throw Object.assign(new Error("made up"), { syscall: "socket", code: "EMFILE", errno: -24 });
      }
    };
    const result = await start({ best: true });
    expect(result.state).toBe("completed");
    const failed = result.best?.probes.filter(({ error }) => error !== undefined);
    expect(failed).toMatchObject([{ options: { engine: "spin" } }]);
    expect(failed?.[0]?.error).toContain("made up");
  });

  it("fails as the run would where nothing can be measured", async () => {
    await server.close();
    await expect(start({ best: true })).rejects.toMatchObject({ code: "ERR_CONNECT" });
  });

  it("ends at once when it is aborted", async () => {
    const abort = new AbortController();
    const result = await start({ best: true, duration: 60 }, { signal: abort.signal, onProbe: () => abort.abort() });
    expect(result).toMatchObject({ state: "aborted", best: { chosen: {} } });
    expect(result.best?.probes).toHaveLength(1);
  });

  it("does not go with a rate of the caller's", async () => {
    await expect(start({ best: true, rate: 100 })).rejects.toThrow(
      "best: looks for the highest rate, and one was given",
    );
  });
});

describe("a send size of auto", () => {
  it("tries sizes and nothing else", async () => {
    makeFaster(({ loop, role, sendSizeBytes }) =>
      loop === "receive" && role === "server" && sendSizeBytes === 1 << 18 ? 3 : 1,
    );
    const result = await start({ test: "tcp_stream", sendSize: "auto" });
    expect(result.best?.chosen).toEqual({ sendSize: "256K" });
    expect(result.spec).toMatchObject({ sendSizeBytes: 1 << 18, best: false });
    expect(result.best?.probes.every(({ options }) => Object.keys(options).every((key) => key === "sendSize"))).toBe(
      true,
    );
  });

  it("keeps the default where no other gains, and never measures with none", async () => {
    const result = await start({ test: "tcp_stream", sendSize: "auto" });
    expect(result.spec.sendSizeBytes).toBe(
      result.best?.chosen["sendSize"] === undefined ? 1 << 17 : expect.any(Number),
    );
    expect(addon.sessions.every(({ plan }) => plan.sendSizeBytes > 0)).toBe(true);
  });
});
