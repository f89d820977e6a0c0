import { describe, expect, it } from "vitest";
import { flowColumns } from "../../../src/result/flows.js";
import type { RawRun } from "../../../src/result/raw.js";
import { deriveWarnings } from "../../../src/result/warnings.js";
import { counters, cpuUse, flow, histogram, host, noErrors, rawRun, spec, tcpInfo } from "./fixtures.js";

const codes = (raw: RawRun): string[] => deriveWarnings(raw).map((warning) => warning.code);
const find = (raw: RawRun, code: string): string => {
  const warning = deriveWarnings(raw).find((one) => one.code === code);
  return warning === undefined ? "" : `${warning.message} | ${warning.advice}`;
};
const socket = (changes: Partial<RawRun["local"]["socket"]>) => ({ ...rawRun("tcp_rr").local.socket, ...changes });
const flowsWith = (info: Parameters<typeof tcpInfo>[0]) =>
  flowColumns([flow({ tcpInfo: tcpInfo() }), flow({ tcpInfo: tcpInfo(info) })]);

describe("deriveWarnings", () => {
  it.each(["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"] as const)(
    "finds nothing wrong with a sound %s run",
    (test) => {
      expect(deriveWarnings(rawRun(test, { flows: flowsWith({}) }, { flows: flowsWith({}) }))).toEqual([]);
    },
  );

  it("SAME_HOST", () => {
    const together = { ...rawRun("tcp_rr"), sameHost: true };
    expect(find(together, "SAME_HOST")).toMatch(/shared its 4 CPUs.*--server-cpus/);
    const placed = { ...together, spec: spec("tcp_rr", { cpus: [0], serverCpus: [1] }) };
    expect(find(placed, "SAME_HOST")).not.toMatch(/--server-cpus/);
  });

  it("SHORT_RUN below a second, but not when the window never opened", () => {
    expect(find(rawRun("tcp_rr", { windowNs: 999e6 }), "SHORT_RUN")).toMatch(/0\.999 s.*--duration/);
    expect(codes(rawRun("tcp_rr", { windowNs: 1e9 }))).toEqual([]);
    expect(codes(rawRun("tcp_rr", { windowNs: 0 }))).toEqual([]);
  });

  it("ENGINE_UNAVAILABLE, naming the side, what ran, and why", () => {
    const refusal = { engine: "epoll", engineRefusal: "no io_uring there" } as const;
    const run = rawRun("tcp_rr", { engine: "uring" }, refusal);
    expect(find({ ...run, spec: spec("tcp_rr", { engine: "uring" }) }, "ENGINE_UNAVAILABLE")).toMatch(
      /The server ran engine epoll, for it could not run uring: no io_uring there.*--engine epoll/,
    );
  });

  it("RATE_NOT_KEPT where more was left over than may wait in every flow", () => {
    const paced = (backlog: number) => {
      const raw = rawRun("tcp_rr", { windowNs: 10e9, backlog });
      return { ...raw, spec: spec("tcp_rr", { ratePerSecond: 1000 }) };
    };
    expect(find(paced(500), "RATE_NOT_KEPT")).toMatch(
      /500 requests were due .* alone has 10000 at 1000\/s.*--rate.*--burst/,
    );
    expect(codes(paced(100))).toEqual([]);
    expect(codes(paced(0))).toEqual([]);
    const many = paced(500);
    expect(codes({ ...many, spec: { ...many.spec, flows: 500 } })).toEqual([]);
  });

  it("BANDWIDTH_NOT_KEPT by what the receiver got", () => {
    const paced = (bytesReceived: number) => {
      const raw = rawRun("tcp_stream", {}, { windowNs: 10e9, counters: counters({ bytesReceived }) });
      return { ...raw, spec: spec("tcp_stream", { bandwidthBitsPerSecond: 100e6 }) };
    };
    expect(find(paced(100e6), "BANDWIDTH_NOT_KEPT")).toMatch(/80\.0 % of the 100000000 bits.*--bandwidth/);
    expect(codes(paced(123e6))).toEqual([]);
  });

  it("UNPINNED, naming the side and its option", () => {
    expect(find(rawRun("tcp_rr", { cpus: [0, -1] }), "UNPINNED")).toMatch(/1 of 2 workers of the client.*--cpus/);
    expect(find(rawRun("tcp_rr", {}, { cpus: [-1, -1] }), "UNPINNED")).toMatch(
      /2 of 2 workers of the server.*--server-cpus/,
    );
  });

  it("MORE_WORKERS_THAN_CPUS, by the CPUs they are pinned to or else by the host's", () => {
    expect(find(rawRun("tcp_rr", { workers: 3, cpus: [0, 1, 0] }), "MORE_WORKERS_THAN_CPUS")).toMatch(
      /client ran 3 workers on 2 CPUs/,
    );
    const loose = { workers: 5, cpus: [-1, -1, -1, -1, -1] };
    expect(find(rawRun("tcp_rr", {}, loose), "MORE_WORKERS_THAN_CPUS")).toMatch(/server ran 5 workers on 4 CPUs/);
  });

  it("MORE_WORKERS_THAN_CPUS of both ends together when they share one host", () => {
    const crowded = rawRun("tcp_rr", { workers: 3, cpus: [0, 1, 2] });
    expect(codes(crowded)).toEqual([]);
    expect(find({ ...crowded, sameHost: true }, "MORE_WORKERS_THAN_CPUS")).toMatch(/together ran 5 workers on 4 CPUs/);
  });

  it("MORE_WORKERS_THAN_CPUS advises what the engine in use can do", () => {
    const crowded = (changes: Parameters<typeof rawRun>[1], flows: number): string =>
      find(
        { ...rawRun("tcp_rr", { workers: 3, cpus: [0, 1, 0], ...changes }), spec: spec("tcp_rr", { flows }) },
        "MORE_WORKERS_THAN_CPUS",
      );
    expect(crowded({ engine: "block" }, 3)).toMatch(/\| Use --engine epoll, .*, or give more CPUs with --cpus$/);
    expect(crowded({ engine: "epoll" }, 3)).toMatch(
      /\| Use fewer workers with --threads, or give more CPUs with --cpus$/,
    );
    const server = rawRun("tcp_rr", {}, { engine: "epoll", workers: 3, cpus: [0, 1, 0] });
    expect(find(server, "MORE_WORKERS_THAN_CPUS")).toMatch(/\| Give more CPUs with --server-cpus$/);
  });

  it("SHARED_CPU where both ends of one machine sit on the same CPU although there are enough", () => {
    const apart = { ...rawRun("tcp_rr", { workers: 1, cpus: [0] }, { workers: 1, cpus: [1] }), sameHost: true };
    expect(codes(apart)).toEqual(["SAME_HOST"]);
    const shared = { ...rawRun("tcp_rr", { workers: 2, cpus: [2, 1] }, { workers: 2, cpus: [1, 2] }), sameHost: true };
    expect(codes(shared)).toEqual(["SAME_HOST", "SHARED_CPU"]);
    expect(find(shared, "SHARED_CPU")).toMatch(/on CPU 1-2: .*--cpus LIST and --server-cpus LIST$/);
    const asked = { ...shared, spec: spec("tcp_rr", { cpus: [1, 2], serverCpus: [1, 2] }) };
    expect(find(asked, "SHARED_CPU")).toMatch(/, instead of --cpus 1-2 and --server-cpus 1-2$/);
    // On different machines, and where nobody was pinned, equal numbers mean nothing.
    expect(codes({ ...shared, sameHost: false })).toEqual([]);
    const loose = { ...rawRun("tcp_rr", { cpus: [-1, -1] }, { cpus: [-1, -1] }), sameHost: true };
    expect(codes(loose)).not.toContain("SHARED_CPU");
    // Too many workers for the CPUs is said once.
    const crowded = {
      ...rawRun("tcp_rr", { workers: 3, cpus: [0, 1, 2] }, { workers: 2, cpus: [0, 1] }),
      sameHost: true,
    };
    expect(codes(crowded)).toEqual(["SAME_HOST", "MORE_WORKERS_THAN_CPUS"]);
  });

  it("SENDER_CPU_BOUND by the worker's own CPU, whatever the others do", () => {
    const hot = { cpu: cpuUse(0.2, 0.99, 0, 0) };
    expect(find(rawRun("tcp_stream", hot), "SENDER_CPU_BOUND")).toMatch(
      /On the client CPU 1.*99\.0 % busy.*--zerocopy msg/,
    );
    expect(find(rawRun("tcp_rr", hot), "SENDER_CPU_BOUND")).toMatch(/On the client CPU 1/);
    // A spinning worker is always busy.
    expect(codes(rawRun("tcp_rr", { ...hot, engine: "spin" }))).toEqual([]);
    expect(codes(rawRun("tcp_stream", { cpu: cpuUse(0.2, 0.2, 1, 1) }))).toEqual([]);
    expect(codes(rawRun("tcp_stream", { cpu: cpuUse(0.95, 0.95, 0, 0) }))).toEqual([]);
  });

  it("RECEIVER_CPU_BOUND on the side that receives", () => {
    const hot = { cpu: cpuUse(0.97, 0, 0, 0) };
    expect(find(rawRun("tcp_stream", {}, hot), "RECEIVER_CPU_BOUND")).toMatch(
      /On the server CPU 0.*97\.0 %.*--rx trunc/,
    );
    expect(find(rawRun("tcp_maerts", hot), "RECEIVER_CPU_BOUND")).toMatch(/On the client CPU 0/);
    expect(find(rawRun("tcp_maerts", {}, hot), "SENDER_CPU_BOUND")).toMatch(/On the server CPU 0/);
  });

  it("advises what is not in use yet and can help", () => {
    const hot = { cpu: cpuUse(0.99, 0.2, 0, 0) };
    const advice = (changes: Parameters<typeof spec>[1], rest: Partial<RawRun> = {}): string =>
      find({ ...rawRun("tcp_stream", hot), spec: spec("tcp_stream", changes), ...rest }, "SENDER_CPU_BOUND");
    expect(advice({})).toMatch(/\| Spread the load with more --flows and more CPUs \(--cpus\), or try --zerocopy msg$/);
    expect(advice({ zerocopy: "sendfile" })).not.toMatch(/zerocopy/);
    // Loopback copies all the same.
    expect(advice({}, { sameHost: true })).not.toMatch(/zerocopy/);
    const epoll = { ...rawRun("tcp_stream", { ...hot, engine: "epoll" }), spec: spec("tcp_stream", { flows: 8 }) };
    expect(find(epoll, "SENDER_CPU_BOUND")).toMatch(/with more --threads and more CPUs \(--cpus\)/);
    expect(find(rawRun("tcp_stream", { ...hot, engine: "uring" }), "SENDER_CPU_BOUND")).toMatch(
      /or try --zerocopy msg$/,
    );
    const trunc = { ...rawRun("tcp_stream", {}, hot), spec: spec("tcp_stream", { rx: "trunc" }) };
    expect(find(trunc, "RECEIVER_CPU_BOUND")).toMatch(/more CPUs \(--server-cpus\)$/);
  });

  it("COARSE_CLOCK where latencies come in steps, and never for a fine clock", () => {
    const stepped = (stepNs: number, medianNs: number): RawRun => {
      const times = Array.from({ length: 2000 }, (_, i) => Math.round((medianNs * (0.5 + i / 2000)) / stepNs) * stepNs);
      return rawRun("tcp_rr", { latency: histogram(times), host: host({ clocksource: "acpi_pm" }) });
    };
    expect(find(stepped(1000, 20_000), "COARSE_CLOCK")).toMatch(
      /clock \(acpi_pm\) advanced in steps of about \d+ ns, with a median latency of 20\d\d\d ns/,
    );
    expect(codes(stepped(100, 20_000))).toEqual([]);
    expect(codes(stepped(1, 20_000))).toEqual([]);
    expect(codes(stepped(1, 300_000_000))).toEqual([]);
    // Ticks of 4 ms: nearly every round trip takes none.
    const ticks = histogram([...Array.from({ length: 1995 }, () => 0), ...Array.from({ length: 5 }, () => 4e6)]);
    expect(find(rawRun("tcp_rr", { latency: ticks }), "COARSE_CLOCK")).toMatch(/steps of about [34]\d{6} ns/);
    const still = histogram(Array.from({ length: 1000 }, () => 0));
    expect(find(rawRun("tcp_rr", { latency: still }), "COARSE_CLOCK")).toMatch(/stood still/);
    // Too few to tell.
    expect(codes(rawRun("tcp_rr", { latency: histogram([1000, 2000, 3000]) }))).toEqual([]);
  });

  it("takes the workers' own CPU time where they are not pinned", () => {
    const loose = { cpus: [-1, -1], windowNs: 10e9, workerCpuNs: 19.8e9 };
    expect(find(rawRun("tcp_stream", loose), "SENDER_CPU_BOUND")).toMatch(/each worker was 99\.0 % busy/);
    expect(codes(rawRun("tcp_stream", { ...loose, workerCpuNs: 10e9 }))).toEqual(["UNPINNED"]);
  });

  it("STEAL above 1 %, told once where both ends share one host", () => {
    const cpu = { cpu: { ...cpuUse(0, 0, 0, 0), stealCores: 0.2 } };
    const raw = rawRun("tcp_rr", cpu, { ...cpu, cpus: [2, 3] });
    expect(find(raw, "STEAL")).toMatch(/5\.0 % of the client's CPU time \(0\.20 of 4 cores\).*--runs 5/);
    expect(find({ ...raw, spec: spec("tcp_rr", { runs: 3 }) }, "STEAL")).not.toMatch(/--runs/);
    expect(codes(raw)).toEqual(["STEAL", "STEAL"]);
    expect(codes({ ...raw, sameHost: true })).toEqual(["SAME_HOST", "STEAL"]);
    expect(codes(rawRun("tcp_rr", { cpu: { ...cpu.cpu, stealCores: 0.04 } }))).toEqual([]);
  });

  it("THROTTLED with the limit where it is known", () => {
    const cgroup = { usageCores: 2, throttledNs: 340e6, throttledPeriods: 12 };
    const raw = rawRun(
      "tcp_rr",
      {},
      { cpu: { ...cpuUse(0, 0, 0, 0), cgroup }, host: host({ container: { cpuLimitCores: 2 } }) },
    );
    expect(find(raw, "THROTTLED")).toMatch(/limit of 2 cores of the server's cgroup.*340 ms in 12 periods/);
  });

  it("PORTS_EXHAUSTED and CONNECT_ERRORS apart", () => {
    const failing = (connectErrors: Partial<typeof noErrors>) =>
      rawRun("tcp_crr", { counters: counters({ connections: 77, connectErrors: { ...noErrors, ...connectErrors } }) });
    expect(codes(failing({ portsExhausted: 5 }))).toEqual(["PORTS_EXHAUSTED"]);
    expect(find(failing({ portsExhausted: 5 }), "PORTS_EXHAUSTED")).toMatch(
      /^5 .*77 connections.*--bind.*--local-ports/,
    );
    expect(codes(failing({ refused: 1, timedOut: 2, reset: 3, other: 4 }))).toEqual(["CONNECT_ERRORS"]);
    expect(find(failing({ refused: 1, timedOut: 2, reset: 3, other: 4 }), "CONNECT_ERRORS")).toMatch(
      /^10 .*1 refused, 2 timed out, 3 reset, 4 other/,
    );
    const asking = (changes: Parameters<typeof spec>[1]): string =>
      find({ ...failing({ portsExhausted: 5 }), spec: spec("tcp_crr", changes) }, "PORTS_EXHAUSTED");
    expect(asking({ localPorts: [2000, 3000] })).toMatch(/widen --local-ports 2000-3000$/);
    expect(asking({ close: "client" })).toMatch(/--close server/);
  });

  it("ZEROCOPY_COPIED with the share, taken from the sender", () => {
    const zerocopy = { requestedBytes: 1100, zeroCopiedBytes: 250, copiedBytes: 750 };
    expect(find(rawRun("tcp_stream", { zerocopy }), "ZEROCOPY_COPIED")).toMatch(
      /75\.00 %.*750 of 1000.*--zerocopy off/,
    );
    expect(codes(rawRun("tcp_maerts", {}, { zerocopy }))).toEqual(["ZEROCOPY_COPIED"]);
    expect(codes(rawRun("tcp_stream", { zerocopy: { ...zerocopy, copiedBytes: 0 } }))).toEqual([]);
  });

  it("RX_ZEROCOPY_COPIED where most was copied, with what fills whole pages", () => {
    const rxZerocopy = { mappedBytes: 250, copiedBytes: 750 };
    const run = rawRun("tcp_stream", {}, { rxZerocopy });
    expect(find(run, "RX_ZEROCOPY_COPIED")).toMatch(/25\.00 %.*750 of 1000.*--mss 4108.*MTU of 4148.*tcp-data-split/);
    const onOneHost = (zerocopy: "off" | "msg") => ({
      ...run,
      sameHost: true,
      spec: spec("tcp_stream", { rx: "zerocopy", zerocopy }),
    });
    expect(find(onOneHost("off"), "RX_ZEROCOPY_COPIED")).toMatch(/MTU.*--zerocopy msg$/);
    expect(find(onOneHost("msg"), "RX_ZEROCOPY_COPIED")).toMatch(/or more$/);
    expect(codes(rawRun("tcp_maerts", { rxZerocopy }))).toEqual(["RX_ZEROCOPY_COPIED"]);
    expect(codes(rawRun("tcp_stream", {}, { rxZerocopy: { mappedBytes: 500, copiedBytes: 500 } }))).toEqual([]);
  });

  it("ZEROCOPY_COPIED does not advise against what --rx zerocopy needs on one host", () => {
    const zerocopy = { requestedBytes: 9, zeroCopiedBytes: 0, copiedBytes: 9 };
    const run = {
      ...rawRun("tcp_stream", { zerocopy }),
      spec: spec("tcp_stream", { rx: "zerocopy", zerocopy: "msg" }),
    };
    expect(find({ ...run, sameHost: true }, "ZEROCOPY_COPIED")).toMatch(/these copies are what --rx zerocopy maps/);
    expect(find(run, "ZEROCOPY_COPIED")).toMatch(/only adds work/);
  });

  it("BBR_PACING for bulk transfers on a path with a tiny round trip only", () => {
    const bbr = { socket: socket({ congestion: "bbr" }), flows: flowsWith({ minRttNs: 43_000 }) };
    expect(find(rawRun("tcp_stream", bbr), "BBR_PACING")).toMatch(/bbr.*43 us.*--congestion cubic/);
    expect(codes(rawRun("tcp_maerts", {}, bbr))).toEqual(["BBR_PACING"]);
    expect(codes(rawRun("tcp_stream", {}, bbr))).toEqual([]);
    expect(codes(rawRun("tcp_rr", bbr))).toEqual([]);
    expect(codes(rawRun("tcp_stream", { ...bbr, flows: flowsWith({}) }))).toEqual([]);
    expect(codes(rawRun("tcp_stream", { flows: flowsWith({ minRttNs: 43_000 }) }))).toEqual([]);
  });

  it("FIXED_BUFFER, and whether the kernel's maximum cut it short", () => {
    const asking = (granted: number): RawRun => ({
      ...rawRun("tcp_stream", { socket: socket({ rcvbufBytes: granted }) }),
      spec: spec("tcp_stream", { rcvbufBytes: 1_000_000 }),
    });
    expect(find(asking(2_000_000), "FIXED_BUFFER")).toMatch(
      /--rcvbuf 1000000 .*at 2000000 bytes \| Leave --rcvbuf out/,
    );
    expect(find(asking(2_000_000), "FIXED_BUFFER")).not.toMatch(/rmem_max/);
    expect(find(asking(425_984), "FIXED_BUFFER")).toMatch(
      /at 425984 bytes, where net\.core\.rmem_max.*raise net\.core\.rmem_max/,
    );
    const sending = { ...rawRun("tcp_stream"), spec: spec("tcp_stream", { sndbufBytes: 43520 }) };
    expect(find(sending, "FIXED_BUFFER")).toMatch(/--sndbuf 43520/);
  });

  it("RETRANSMITS: above 0.1 % of a bulk transfer's segments, any at all of an RR run's", () => {
    const lossy = (retransmits: number) => ({
      counters: counters({ bytesSent: 1448 * 10_000, transactions: 500 }),
      flows: flowsWith({ retransmits }),
    });
    expect(find(rawRun("tcp_stream", lossy(25)), "RETRANSMITS")).toMatch(
      /TCP sent 25 segments again.*0\.25 % of about 10000/,
    );
    expect(codes(rawRun("tcp_stream", lossy(10)))).toEqual([]);
    expect(find(rawRun("tcp_stream", lossy(25)), "RETRANSMITS")).toMatch(/; fewer --flows than 2 may press/);
    const alone = { ...rawRun("tcp_stream", lossy(25)), spec: spec("tcp_stream", { flows: 1, mssBytes: 500 }) };
    expect(find(alone, "RETRANSMITS")).toMatch(/on both hosts; no --mss may press/);
    expect(find(rawRun("tcp_rr", lossy(1)), "RETRANSMITS")).toMatch(/TCP sent 1 segment again in 500 transactions/);
    expect(codes(rawRun("tcp_maerts", {}, lossy(25)))).toEqual(["RETRANSMITS"]);
  });
});
