import { type ResolvedSpec, type TestName, resolveRunOptions } from "../../../src/options/spec.js";
import { flowColumns, type FlowRow } from "../../../src/result/flows.js";
import { INDEX_COUNT } from "../../../src/result/hdr-layout.js";
import type { CpuUsage, HostContext } from "../../../src/result/model.js";
import type { Counters, EndReport, LocalEnd, RawHistogram, RawRun, TcpInfo } from "../../../src/result/raw.js";

export const noErrors = { portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 };

export function spec(test: TestName, changes: Partial<ResolvedSpec> = {}): ResolvedSpec {
  return { ...resolveRunOptions({ test, host: "server.example", flows: 2 }), ...changes };
}

export function counters(changes: Partial<Counters> = {}): Counters {
  return { bytesSent: 0, bytesReceived: 0, transactions: 0, connections: 0, connectErrors: noErrors, ...changes };
}

export function host(changes: Partial<HostContext> = {}): HostContext {
  return {
    hostname: "a",
    kernel: "Linux 6.8.0",
    arch: "x64",
    cpus: 4,
    nodeVersion: "v20.0.0",
    version: "0.1.0",
    ...changes,
  };
}

/** Whole-host use with the given busy cores on each CPU, all of it in system time. */
export function cpuUse(...busyCores: number[]): CpuUsage {
  const none = { userCores: 0, softirqCores: 0, irqCores: 0, iowaitCores: 0, stealCores: 0 };
  const sum = busyCores.reduce((total, one) => total + one, 0);
  return {
    cpus: busyCores.length,
    busyCores: sum,
    utilization: sum / busyCores.length,
    ...none,
    systemCores: sum,
    processCores: sum,
    perCpu: busyCores.map((busy, cpu) => ({ cpu, busyCores: busy, ...none, systemCores: busy })),
  };
}

export function tcpInfo(changes: Partial<TcpInfo> = {}): TcpInfo {
  return {
    rttNs: 2e6,
    rttvarNs: 1e5,
    minRttNs: 1.5e6,
    retransmits: 0,
    cwndPackets: 10,
    mssBytes: 1448,
    deliveryRateBitsPerSecond: 9e9,
    busyNs: 9e9,
    rwndLimitedNs: 1e9,
    sndbufLimitedNs: 0,
    ...changes,
  };
}

export function flow(changes: Partial<FlowRow> = {}): FlowRow {
  return { bytesSent: 0, bytesReceived: 0, transactions: 0, cpu: 0, ...changes };
}

export function end(changes: Partial<EndReport> = {}): EndReport {
  return {
    engine: "block",
    workers: 2,
    cpus: [0, 1],
    windowNs: 10e9,
    counters: counters(),
    total: counters(),
    flows: flowColumns([flow(), flow({ cpu: 1 })]),
    cpu: cpuUse(0.5, 0.5, 0, 0),
    host: host(),
    workerCpuNs: 8e9,
    socket: { sndbufBytes: 87040, rcvbufBytes: 131072, congestion: "cubic", mssBytes: 1448 },
    buffers: "page",
    ...changes,
  };
}

/** A run whose two ends are the same but for the changes. */
export function rawRun(
  test: TestName,
  local: Partial<LocalEnd> = {},
  remote: Partial<EndReport> = {},
): RawRun & { remote: EndReport } {
  return {
    spec: spec(test),
    startedAt: "2025-01-02T03:04:05.678Z",
    state: "completed",
    local: { ...end(), ...local },
    remote: end(remote),
    intervals: [],
    warnings: [],
    sameHost: false,
  };
}

/** The bucket of a value, worked out in another way than the code under test does: by doubling until it fits. */
export function indexOf(value: number): number {
  let doublings = 0;
  while (value >= 2048) {
    value = Math.floor(value / 2);
    doublings++;
  }
  return value + doublings * 1024;
}

/** A histogram of the values, trimmed as the addon does it. */
export function histogram(values: readonly number[]): RawHistogram {
  if (values.length === 0) return { first: 0, counts: new Float64Array(0), sumNs: 0, minNs: 0, maxNs: 0 };
  const all = new Float64Array(INDEX_COUNT);
  for (const value of values) all[indexOf(value)]! += 1;
  const minNs = values.reduce((least, one) => Math.min(least, one));
  const maxNs = values.reduce((most, one) => Math.max(most, one));
  return {
    first: indexOf(minNs),
    counts: all.slice(indexOf(minNs), indexOf(maxNs) + 1),
    sumNs: values.reduce((sum, one) => sum + one),
    minNs,
    maxNs,
  };
}
