/** Labs that never were. */
import type { Cell, LabDocument, Measurement, PathReport } from "../../../src/lab/document.js";
import { buildResult } from "../../../src/result/build.js";
import type { CpuUsage, Result } from "../../../src/result/model.js";
import { counters, cpuUse, end, histogram, rawRun, spec } from "../result/fixtures.js";

/** A run of TCP_RR over 10 s with this many transactions per second, the host's CPUs this busy. */
export function rrRun(perSecond: number, flows = 1, busy: readonly number[] = [0.5, 0.25]): Result {
  const transactions = perSecond * 10;
  const cpu: CpuUsage = cpuUse(...busy);
  const raw = rawRun("tcp_rr", { counters: counters({ transactions }), latency: histogram([20_000]), cpu });
  const result = buildResult({ ...raw, spec: spec("tcp_rr", { flows }), remote: end({ cpu }) });
  return {
    ...result,
    transactions: { count: transactions, perSecond },
    cpu: { ...result.cpu, local: cpu, remote: cpu },
  };
}

export function pathReport(name: string, changes: Partial<PathReport> = {}): PathReport {
  return { name, models: "m", builds: "b", differs: "d", state: "measured", evidence: [], ...changes };
}

export function measurement(
  path: string,
  rates: readonly number[],
  cell: Cell = { test: "rr", flows: 1 },
): Measurement {
  return {
    path,
    ...cell,
    results: rates.map((rate) => rrRun(rate, cell.flows)),
    rounds: rates.map((_, round) => round),
  };
}

export function labOf(measurements: Measurement[], changes: Partial<LabDocument> = {}): LabDocument {
  const names = [...new Set(measurements.map(({ path }) => path))];
  return {
    ...{ schema: "cnb-load/lab/1", state: "completed", startedAt: "2025-01-02T03:04:05.678Z", command: "cnb-load lab" },
    options: {
      ...{ paths: names, tests: ["rr"], runs: 3, durationNs: 1e9, warmupNs: 0, flows: 1, mtu: 1500 },
      ...{ services: 1, policies: 1, cpus: [0, 1], meltdown: false, profile: false },
    },
    placement: { client: 0, server: 1 },
    environment: { kernel: "6.1", cpuModel: "x", cpus: 2, memoryBytes: 1e9, node: "v20", version: "0.1.0", tools: {} },
    ...{ paths: names.map((name) => pathReport(name)), measurements, flameGraphs: [], ...changes },
  };
}
