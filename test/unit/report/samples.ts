/** Results with made-up figures that are consistent with each other, one per kind of test. */
import { resolveRunOptions, type RunOptions } from "../../../src/options/spec.js";
import type { CpuUsage, FlowResult, HostContext, LatencySummary, Result } from "../../../src/result/model.js";

const noErrors = { portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 };

function host(hostname: string): HostContext {
  return {
    hostname,
    kernel: "Linux 6.8.0-45-generic",
    arch: "x64",
    cpus: 8,
    interface: "eth0",
    mtuBytes: 1500,
    qdisc: "fq",
    nodeVersion: "v20.20.2",
    version: "0.1.0",
  };
}

function cpu(busyCores: number, overrides: Partial<CpuUsage> = {}): CpuUsage {
  return {
    cpus: 8,
    busyCores,
    utilization: busyCores / 8,
    userCores: busyCores / 4,
    systemCores: busyCores / 2,
    softirqCores: busyCores / 4,
    irqCores: 0,
    iowaitCores: 0,
    stealCores: 0,
    processCores: busyCores / 2,
    perCpu: [],
    ...overrides,
  };
}

function latency(kind: LatencySummary["kind"], count: number, scaleNs: number): LatencySummary {
  return {
    kind,
    count,
    minNs: 0.5 * scaleNs,
    meanNs: 1.1 * scaleNs,
    stddevNs: 0.25 * scaleNs,
    p50Ns: scaleNs,
    p90Ns: 1.5 * scaleNs,
    p95Ns: 2 * scaleNs,
    p99Ns: 5 * scaleNs,
    p99_9Ns: 20 * scaleNs,
    p99_99Ns: 100 * scaleNs,
    maxNs: 1000 * scaleNs,
    hdr: "HISTFAAAA",
  };
}

function tcpInfo(rttNs: number): NonNullable<FlowResult["tcpInfo"]> {
  return {
    rttNs,
    rttvarNs: Math.round(rttNs / 2),
    minRttNs: Math.round(rttNs / 4),
    retransmits: 3,
    cwndPackets: 10,
    mssBytes: 1448,
    deliveryRateBitsPerSecond: 1e9,
    busyNs: 9_000_000_000,
    rwndLimitedNs: 0,
    sndbufLimitedNs: 2_000_000_000,
  };
}

function sample(options: RunOptions, parts: Partial<Result>): Result {
  const totals = { bytesSent: 0, bytesReceived: 0, transactions: 0, connections: 0, connectErrors: noErrors };
  const socket = { sndbufBytes: 2626560, rcvbufBytes: 131072, congestion: "cubic", mssBytes: 1448 };
  return {
    schema: "cnb-load/result/1",
    state: "completed",
    test: options.test,
    spec: resolveRunOptions(options),
    startedAt: "2026-01-02T03:04:05.678Z",
    window: { durationNs: 10_000_123_456, remoteDurationNs: 10_000_234_567 },
    engine: { local: "block", remote: "block" },
    workers: { local: { count: 1, cpus: [2], busyCores: 0.91 }, remote: { count: 1, cpus: [], busyCores: 0.85 } },
    cpu: { local: cpu(1.6), remote: cpu(2) },
    flows: [],
    socket: { local: socket, remote: socket },
    buffers: { local: "page", remote: "page" },
    totals: { local: totals, remote: totals },
    intervals: [],
    warnings: [],
    host: { local: host("node-a"), remote: host("node-b") },
    ...parts,
  };
}

const warnings = [
  {
    code: "SAME_HOST",
    message: "client and server run on one machine, so each end's CPU figures hold the work of both",
    advice:
      "Run the server on another host, or read the CPU figures as the sum of both ends. Loopback has no network card, no driver and no wire.",
  },
  { code: "SHORT_RUN", message: "the window was 10.0 s", advice: "Use --duration 30s or more." },
];

export const stream = sample(
  { test: "tcp_stream", host: "10.0.0.2", flows: 2, zerocopy: "msg", cpus: "2-3" },
  {
    engine: { local: "epoll", remote: "epoll" },
    workers: { local: { count: 2, cpus: [2, 3], busyCores: 1.2 }, remote: { count: 2, cpus: [0, 1], busyCores: 0.85 } },
    throughput: {
      bitsPerSecond: 9.4123e9,
      bytes: 11_765_375_000,
      sender: { bitsPerSecond: 9.4133e9, bytes: 11_766_625_000 },
    },
    cpu: {
      local: cpu(1.6, { cgroup: { usageCores: 1.1, throttledNs: 0, throttledPeriods: 0 } }),
      remote: cpu(2, {
        kernelThreads: [
          { name: "kworker (wg-crypt-wg0)", cores: 0.81 },
          { name: "ksoftirqd", cores: 0.12 },
          { name: "rcu_preempt", cores: 0.002 },
        ],
      }),
      serviceDemand: { local: { nsPerKiB: 1392.5 }, remote: { nsPerKiB: 1740.7 } },
      normalized: {
        target: 100e9,
        unit: "bitsPerSecond",
        method: "linear-extrapolation",
        localCores: 17,
        remoteCores: 21.25,
      },
    },
    tcpInfo: { ...tcpInfo(109_382), flows: 2, retransmits: 6, busyNs: 19_500_000_000 },
    zerocopy: { requestedBytes: 11_766_625_000, zeroCopiedBytes: 11_000_000_000, copiedBytes: 766_000_000 },
    flows: [
      { bytes: 5_882_687_500, sentBytes: 5_883_312_500, cpu: 2, remoteCpu: 0, tcpInfo: tcpInfo(120_000) },
      { bytes: 5_882_687_500, sentBytes: 5_883_312_500, cpu: 3, remoteCpu: 1, tcpInfo: tcpInfo(98_765) },
    ],
    buffers: { local: "huge", remote: "page" },
  },
);

export const rr = sample(
  { test: "tcp_rr", host: "10.0.0.2", duration: 10 },
  {
    transactions: { count: 456_789, perSecond: 45_678.3 },
    latency: latency("rtt", 456_789, 21_500),
    cpu: {
      local: cpu(1.6),
      remote: cpu(2),
      serviceDemand: { local: { nsPerTransaction: 35_027.5 }, remote: { nsPerTransaction: 43_784.4 } },
      normalized: {
        target: 1e6,
        unit: "transactionsPerSecond",
        method: "linear-extrapolation",
        localCores: 35,
        remoteCores: 43.8,
      },
    },
    flows: [{ transactions: 456_789, cpu: 2, tcpInfo: tcpInfo(22_000) }],
    intervals: [
      {
        startNs: 0,
        durationNs: 1e9,
        transactions: { count: 45_000, perSecond: 45_000 },
        latency: { ...latency("rtt", 45_000, 21_500) },
      },
    ],
    warnings,
  },
);

export const crr = sample(
  { test: "tcp_crr", host: "10.0.0.2", flows: 32, close: "client" },
  {
    transactions: { count: 100_000, perSecond: 10_000 },
    connections: {
      count: 100_000,
      perSecond: 10_000,
      errors: { ...noErrors, portsExhausted: 12, reset: 3456 },
    },
    latency: latency("transaction", 100_000, 95_000),
    connectLatency: latency("connect", 100_000, 40_000),
    requestLatency: latency("request", 100_000, 35_000),
    flows: Array.from({ length: 32 }, () => ({ transactions: 3125 })),
  },
);

/** The server vanished: no remote end at all. */
export const failed = sample(
  { test: "tcp_maerts", host: "server.example.com", flows: 32 },
  {
    state: "failed",
    error: { code: "ERR_PEER_LOST", message: "the server was not heard from for 4 s" },
    window: { durationNs: 3_200_000_000 },
    engine: { local: "epoll" },
    workers: { local: { count: 2, cpus: [] } },
    throughput: { bitsPerSecond: 123_456_789, bytes: 49_382_716 },
    cpu: {},
    flows: Array.from({ length: 32 }, () => ({ bytes: 1_543_210, tcpInfo: tcpInfo(50_000) })),
    socket: { local: { sndbufBytes: 87040, rcvbufBytes: 131072, congestion: "bbr", mssBytes: 1448 } },
    buffers: { local: "page" },
    totals: { local: rr.totals.local },
    host: { local: host("node-a") },
  },
);

const { zerocopy: _zerocopy, ...copied } = stream;

/** Interrupted before the receiver's report: only the sender's figure is known. */
export const aborted: Result = {
  ...copied,
  state: "aborted",
  spec: { ...stream.spec, zerocopy: "off" },
  window: { durationNs: 1_500_000_000 },
  throughput: { sender: { bitsPerSecond: 5e8, bytes: 93_750_000 } },
  cpu: {},
  flows: [],
};
