import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NativeEngine } from "../../../src/native/index.js";
import { type RunOptions, resolveRunOptions } from "../../../src/options/spec.js";
import { type CpuSupply, checkCpus, placeWorkers } from "../../../src/run/placement.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { checkMemory } from "../../../src/run/memory.js";
import { type HalfRequest, chooseEngine, engineRefusal, planHalf, setupTimeoutMs } from "../../../src/run/plan.js";

const spec = (options: Partial<RunOptions> = {}) => resolveRunOptions({ test: "tcp_rr", host: "h", ...options });

const supply = (changes: Partial<CpuSupply> = {}): CpuSupply => ({
  allowed: [0, 1, 2, 3],
  wanted: null,
  option: "cpus",
  current: 1,
  taken: [],
  coreRank: () => 0,
  ...changes,
});

const request = (options: Partial<RunOptions>, changes: Partial<HalfRequest> = {}): HalfRequest => ({
  role: "client",
  spec: spec(options),
  cpus: supply(),
  address: "10.0.0.1",
  port: 5001,
  addresses: [],
  localPorts: null,
  cookie: new Uint8Array(16),
  engineRefusal: null,
  ...changes,
});

describe("placeWorkers", () => {
  it("spreads over the allowed CPUs, the JS thread's last", () => {
    expect(placeWorkers(3, supply())).toEqual([0, 2, 3]);
    expect(placeWorkers(6, supply())).toEqual([0, 2, 3, 1, 0, 2]);
  });

  it("keeps away from the CPUs of the other end's workers as long as there are others", () => {
    expect(placeWorkers(3, supply({ taken: [0, 2] }))).toEqual([3, 1, 0]);
    // Four CPUs that are two cores' threads, numbered as most firmware does.
    const coreRank = (cpu: number) => (cpu < 2 ? 0 : 1);
    expect(placeWorkers(4, supply({ current: 0, coreRank }))).toEqual([1, 0, 2, 3]);
    expect(placeWorkers(2, supply({ allowed: [0, 1], current: 0, taken: [1] }))).toEqual([0, 1]);
  });

  it("uses exactly the CPUs asked for, in their order", () => {
    expect(placeWorkers(3, supply({ wanted: [3, 1] }))).toEqual([3, 1, 3]);
  });

  it("puts every worker on an allowed CPU and loads none by two more than another", () => {
    const cpus = fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(cpus, cpus, fc.integer({ min: 1, max: 60 }), (allowed, taken, workers) => {
        const placed = placeWorkers(workers, supply({ allowed, current: allowed[0] ?? 0, taken }));
        const loads = allowed.map((cpu) => placed.filter((one) => one === cpu).length);
        expect(placed).toHaveLength(workers);
        expect(loads.reduce((sum, load) => sum + load)).toBe(workers);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("refuses CPUs that are not allowed, naming option and allowed set", () => {
    expect(() => placeWorkers(1, supply({ wanted: [1, 6, 7] }))).toThrow(
      /^cpus: CPUs 6-7 cannot be used; this process may use 0-3$/,
    );
    expect(() => {
      checkCpus({ wanted: [9], allowed: [0, 2], option: "serverCpus" });
    }).toThrow(/^serverCpus: CPU 9 cannot be used; the server may use 0,2$/);
  });
});

describe("chooseEngine", () => {
  it.each<[Partial<RunOptions>, number, NativeEngine]>([
    [{ test: "tcp_stream", flows: 64 }, 2, "block"],
    [{ test: "tcp_stream", flows: 65 }, 128, "epoll"],
    [{ test: "tcp_maerts", flows: 64 }, 1, "block"],
    [{ test: "tcp_rr", flows: 4 }, 4, "block"],
    [{ test: "tcp_rr", flows: 5 }, 4, "epoll"],
    [{ test: "tcp_crr", flows: 4 }, 4, "block"],
    [{ test: "tcp_crr", flows: 5 }, 4, "epoll"],
    [{ test: "tcp_rr", flows: 4, threads: 2 }, 4, "epoll"],
    [{ test: "tcp_rr", flows: 4, threads: 4 }, 4, "block"],
    [{ test: "tcp_rr", flows: 1, burst: 15, request: "64K" }, 4, "epoll"],
    [{ test: "tcp_rr", flows: 1, burst: 15 }, 4, "block"],
    [{ test: "tcp_rr", flows: 500, engine: "block" }, 4, "block"],
    [{ test: "tcp_rr", flows: 1, engine: "epoll" }, 4, "epoll"],
    [{ test: "tcp_rr", flows: 1, engine: "spin" }, 4, "spin"],
    [{ test: "tcp_crr", flows: 50, engine: "uring" }, 4, "uring"],
  ])("of %j on %i CPUs is %s", (options, cpus, engine) => {
    expect(chooseEngine(spec(options), cpus, null)).toBe(engine);
  });

  it("is epoll where this host refuses the one asked for", () => {
    expect(chooseEngine(spec({ engine: "uring" }), 4, "no io_uring here")).toBe("epoll");
    expect(planHalf(request({ engine: "uring", flows: 9 }, { engineRefusal: "none" }))).toMatchObject({
      engine: "epoll",
      cpus: [0, 2, 3, 1],
    });
  });
});

describe("engineRefusal", () => {
  const oldKernel = Object.assign(new FakeAddon(), {
    uringUnavailableReason: (zerocopySends = false) => (zerocopySends ? "Linux 6.1" : null),
  });

  it("needs zero-copy sends on the end that sends, and only there", () => {
    const refusals = (options: Partial<RunOptions>) =>
      (["client", "server"] as const).map((role) =>
        engineRefusal(spec({ engine: "uring", ...options }), role, oldKernel),
      );
    expect(refusals({ test: "tcp_stream", zerocopy: "msg" })).toEqual(["Linux 6.1", null]);
    expect(refusals({ test: "tcp_maerts", zerocopy: "msg" })).toEqual([null, "Linux 6.1"]);
    expect(refusals({ test: "tcp_stream" })).toEqual([null, null]);
    expect(refusals({ test: "tcp_stream", zerocopy: "msg", engine: "epoll" })).toEqual([null, null]);
  });
});

describe("planHalf", () => {
  it("gives each end its side of the test", () => {
    const loops = (test: RunOptions["test"]) =>
      (["client", "server"] as const).map((role) => planHalf(request({ test }, { role })).loop);
    expect(loops("tcp_stream")).toEqual(["send", "receive"]);
    expect(loops("tcp_maerts")).toEqual(["receive", "send"]);
    expect(loops("tcp_rr")).toEqual(["rr", "rr"]);
    expect(loops("tcp_crr")).toEqual(["crr", "crr"]);
    expect(loops("tcp_cc")).toEqual(["crr", "crr"]);
  });

  it("says what is of UDP, and nothing of it for tests over TCP", () => {
    const plan = (options: Partial<RunOptions>) => planHalf(request(options));
    expect(plan({ test: "tcp_rr" }).udp).toBeUndefined();
    expect(plan({ test: "udp_rr", retryAfter: "1.5ms" })).toMatchObject({
      loop: "rr",
      udp: { batch: 1, gso: false, gro: false, retryTimeoutMs: 2 },
    });
    expect(plan({ test: "udp_stream", batch: 5, gso: true })).toMatchObject({
      loop: "send",
      sendSizeBytes: 0,
      udp: { batch: 5, gso: true, gro: false },
    });
  });

  it("has connections without a byte for tcp_cc alone", () => {
    const sizes = (test: RunOptions["test"]) => {
      const { requestBytes, responseBytes } = planHalf(request({ test }));
      return [requestBytes, responseBytes];
    };
    expect(sizes("tcp_cc")).toEqual([0, 0]);
    expect(sizes("tcp_crr")).toEqual([1, 1]);
  });

  it("has one blocking worker per flow, and epoll workers as many as asked for or as there are CPUs", () => {
    expect(planHalf(request({ test: "tcp_stream", flows: 7 })).cpus).toHaveLength(7);
    expect(planHalf(request({ flows: 100 })).cpus).toHaveLength(4);
    expect(planHalf(request({ flows: 100, threads: 3 })).cpus).toHaveLength(3);
    expect(planHalf(request({ flows: 100 }, { cpus: supply({ wanted: [2, 3] }) })).cpus).toEqual([2, 3]);
    expect(planHalf(request({ flows: 2, engine: "epoll" })).cpus).toHaveLength(2);
    expect(planHalf(request({ flows: 100, engine: "spin" })).cpus).toHaveLength(4);
    expect(planHalf(request({ flows: 100, engine: "uring", threads: 2 })).cpus).toHaveLength(2);
  });

  it("tells each end the pace", () => {
    const pace = { rate: "2k/s", spacing: "constant" } as const;
    expect(planHalf(request(pace))).toMatchObject({ ratePerSecond: 2000, spacing: "constant" });
    const paced = request({ test: "tcp_maerts", bandwidth: "1G" }, { role: "server" });
    expect(planHalf(paced)).toMatchObject({ loop: "send", bandwidthBitsPerSecond: 1e9 });
  });

  it("does not let the client's threads decide on the server's", () => {
    const plan = planHalf(request({ flows: 3, threads: 1 }, { role: "server" }));
    expect(plan).toMatchObject({ engine: "block", flows: 3 });
    expect(plan.cpus).toHaveLength(3);
  });

  it("leaves more time to more flows, within what the addon takes", () => {
    expect(setupTimeoutMs(1)).toBe(10_001);
    expect(setupTimeoutMs(10_000)).toBe(20_000);
    expect(setupTimeoutMs(1_000_000)).toBe(600_000);
  });

  it("lets the client, which knows more, give up before the server", () => {
    const [server, client] = (["server", "client"] as const).map((role) => planHalf(request({}, { role })));
    expect(server?.setupTimeoutMs).toBe(setupTimeoutMs(1));
    expect(client?.setupTimeoutMs).toBeLessThan(setupTimeoutMs(1));
  });
});

describe("checkMemory", () => {
  const check =
    (options: Partial<RunOptions>, mostBytes = 2 ** 31, memMax = "212992\n") =>
    () => {
      checkMemory(planHalf(request(options, { role: "server" })), mostBytes, () => memMax);
    };

  it("lets ordinary sizes pass", () => {
    expect(check({ test: "tcp_stream", flows: 64 })).not.toThrow();
    expect(check({ test: "tcp_maerts", flows: 64, zerocopy: "msg" })).not.toThrow();
    expect(check({ flows: 1000, response: "1M" })).not.toThrow();
    expect(check({ flows: 1000, sndbuf: "1G", rcvbuf: "1G" })).not.toThrow();
  });

  it("refuses what would exhaust the server's memory, naming the limit", () => {
    expect(check({ test: "tcp_stream", flows: 64, recvSize: "64M" })).toThrow(
      "this server grants a session 2G of buffers (--max-memory); 64 workers need 64M each (--recv-size)",
    );
    expect(check({ test: "tcp_stream", flows: 30, recvSize: "64M" })).not.toThrow();
    expect(check({ test: "tcp_stream", flows: 30, recvSize: "64M", rx: "zerocopy" })).toThrow(
      /30 workers need 128M each \(--recv-size, --rx\)$/,
    );
    expect(check({ test: "tcp_maerts", flows: 64, sendSize: "1M", zerocopy: "msg" })).toThrow(
      /64 workers need 64M each \(--send-size, --zerocopy\)$/,
    );
    expect(check({ engine: "block", flows: 1000, response: "64M" })).toThrow(
      /1000 workers need 64M each \(--request, --response\)$/,
    );
    expect(check({ test: "udp_stream", batch: 64 }, 2 ** 20)).toThrow(
      /grants a session 1M .*; 1 worker needs 4M \(--batch\)$/,
    );
  });

  it("counts the buffers of sockets as far as the kernel would grant them", () => {
    const sized: Partial<RunOptions> = { flows: 1000, engine: "epoll", rcvbuf: "64M" };
    expect(check(sized)).not.toThrow();
    expect(check(sized, 2 ** 31, String(2 ** 26))).toThrow(
      /; \d+ workers? needs? [^;]+, 1000 sockets need 128M each \(--sndbuf, --rcvbuf\)$/,
    );
    expect(check({ ...sized, rcvbuf: 0, sndbuf: "64M" }, 2 ** 31, String(2 ** 26))).toThrow(/128M each \(/);
  });
});
