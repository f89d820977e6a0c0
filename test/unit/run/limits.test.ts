import { describe, expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { type RunOptions, resolveRunOptions } from "../../../src/options/spec.js";
import { checkDescriptors, parseDescriptorLimit } from "../../../src/run/descriptors.js";
import type { Crew } from "../../../src/run/plan.js";
import { portBudget } from "../../../src/run/ports.js";
import { fakeEnvironment } from "../../fakes/environment.js";

const { read } = fakeEnvironment();
const withoutTimestamps = fakeEnvironment(undefined, { files: { "/proc/sys/net/ipv4/tcp_timestamps": "0\n" } }).read;
const budget = (options: Partial<RunOptions>, from = withoutTimestamps) =>
  portBudget(resolveRunOptions({ test: "tcp_crr", host: "h", ...options }), from);

describe("portBudget", () => {
  it("leaves the ports to the kernel where connections do not hold them", () => {
    expect(budget({})).toEqual({ localPorts: null, capacity: 28_232, warning: null });
    expect(budget({ close: "reset" })).toEqual({ localPorts: null, capacity: 28_232, warning: null });
    expect(budget({ test: "tcp_rr" })).toEqual({ localPorts: null, capacity: 28_232, warning: null });
  });

  it("walks a wide range where the client closes first, and warns of the rate that it carries", () => {
    const { localPorts, capacity, warning } = budget({ close: "client", duration: 10, warmup: 0 });
    expect(localPorts).toEqual([5000, 65_535]);
    expect(capacity).toBe(60_536);
    expect(warning).toMatchObject({ code: "PORT_BUDGET" });
    expect(warning?.message).toContain("60536 source ports (5000-65535) on 1 address carry 6053 connections/s");
    expect(warning?.advice).toMatch(/--bind.*--close server/);
  });

  it("sees no limit where timestamps let the kernel take over a bound port from TIME_WAIT", () => {
    const { localPorts, warning } = budget({ close: "client", duration: 1000, localPorts: [20_000, 20_009] }, read);
    expect(localPorts).toEqual([20_000, 20_009]);
    expect(warning).toBeNull();
  });

  it("counts addresses, the run's length and the 60 s of TIME_WAIT", () => {
    const bind = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
    expect(budget({ close: "client", duration: 10, warmup: 0, bind }).warning).toBeNull();
    expect(budget({ close: "client", duration: 3, warmup: 0 }).warning).toBeNull();
    expect(budget({ close: "client", duration: 1000, bind }).warning?.message).toContain("carry 4035 connections/s");
    expect(budget({ close: "client", localPorts: [20_000, 20_999] }).warning?.message).toContain("1000 source ports");
  });

  it("keeps to the range that was asked for", () => {
    expect(budget({ localPorts: "20000-29999" })).toEqual({
      localPorts: [20_000, 29_999],
      capacity: 10_000,
      warning: null,
    });
  });

  it("refuses more flows than there are ports", () => {
    expect(() => budget({ test: "tcp_rr", flows: 100_000 })).toThrow(CnbLoadError);
    expect(() => budget({ test: "tcp_rr", flows: 100_000 })).toThrow(
      /^flows: 100000 flows need more than 28232 source ports \(32768-60999\) on 1 address/,
    );
  });

  it("falls back to the kernel's default where the range cannot be read", () => {
    expect(portBudget(resolveRunOptions({ test: "tcp_rr", host: "h" }), () => undefined).capacity).toBe(28_232);
  });
});

describe("checkDescriptors", () => {
  it("reads the soft limit", () => {
    expect(parseDescriptorLimit(read("/proc/self/limits"))).toBe(1024);
    expect(
      parseDescriptorLimit("Max open files            unlimited            unlimited            files\n"),
    ).toBeUndefined();
    expect(parseDescriptorLimit(undefined)).toBeUndefined();
  });

  const crew = (changes: Partial<Crew> = {}): Crew => ({
    ...{ role: "client", loop: "rr", engine: "block", flows: 1, workers: 1, zerocopy: "off" },
    ...changes,
  });

  it("counts what is open and leaves a margin", () => {
    const environment = fakeEnvironment(undefined, { open: 100 });
    expect(() => checkDescriptors(crew({ flows: 860, workers: 2 }), environment)).not.toThrow();
    expect(() => checkDescriptors(crew({ flows: 861, workers: 2 }), environment)).toThrow(
      /^flows: 861 flows on 2 workers may need 1025 open files \(100 are open\), and the limit of the client's process is 1024; raise it with `ulimit -n 1025` before the client starts$/,
    );
    expect(() => checkDescriptors(crew({ role: "server", flows: 861, workers: 2 }), environment)).toThrow(
      /the limit of the server's process is 1024; raise it with `ulimit -n 1025` before the server starts$/,
    );
  });

  // With none open, the margin, and 100 flows on 10 workers.
  it.each<[string, Partial<Crew>, number]>([
    ["an epoll instance for each worker", { engine: "epoll" }, 174],
    ["a ring for each worker", { engine: "uring" }, 174],
    ["nothing more for workers that try", { engine: "spin" }, 164],
    ["a listener for each worker", { loop: "crr", role: "server", engine: "spin" }, 274],
    ["both", { loop: "crr", role: "server", engine: "epoll" }, 284],
    ["a file for each worker that sends one", { loop: "send", zerocopy: "sendfile" }, 174],
    ["no file for those who receive", { loop: "receive", zerocopy: "sendfile" }, 164],
  ])("counts %s", (_what, changes, needed) => {
    const environment = (limit: number) =>
      fakeEnvironment(undefined, { open: 0, files: { "/proc/self/limits": `Max open files  ${limit}  9  files\n` } });
    const whole = crew({ flows: 100, workers: 10, ...changes });
    expect(() => checkDescriptors(whole, environment(needed))).not.toThrow();
    expect(() => checkDescriptors(whole, environment(needed - 1))).toThrow(`may need ${needed} open files`);
  });
});
