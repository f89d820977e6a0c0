/** On one machine both ends measure the same host; where each node has a CPU, its end's figures are those of that CPU. */
import type { CpuUsage, Result } from "../index.js";
import { type Cpus, isAttributed } from "./placement.js";

/** Gbit/s at which encrypted paths' CPU is stated, as in the article. */
export const ENCRYPTED_TARGET = 10e9;

function ofOneCpu(usage: CpuUsage | undefined, cpu: number | undefined): CpuUsage | undefined {
  const own = usage?.perCpu.find((one) => one.cpu === cpu);
  if (usage === undefined || own === undefined) return undefined;
  const { cpu: _cpu, ...shares } = own;
  // What the process used is what its own share was; kernel threads and cgroups know no CPU.
  return {
    ...shares,
    cpus: 1,
    utilization: Math.min(1, own.busyCores),
    processCores: usage.processCores,
    perCpu: [own],
  };
}

type Cpu = Result["cpu"];

/** The result with each end's CPU figures those of its node's CPU; as it is where the nodes share theirs. */
export function attributed(result: Result, cpus: Cpus): Result {
  if (!isAttributed(cpus)) return result;
  const local = ofOneCpu(result.cpu.local, cpus.client);
  const remote = ofOneCpu(result.cpu.remote, cpus.server);
  if (local === undefined || remote === undefined) return result;
  const rate = result.throughput?.bitsPerSecond ?? result.transactions?.perSecond ?? 0;
  return { ...result, cpu: { local, remote, ...perUnit(result, rate, local.busyCores, remote.busyCores) } };
}

function perUnit(
  result: Result,
  rate: number,
  local: number,
  remote: number,
): Pick<Cpu, "serviceDemand" | "normalized"> {
  const { normalized } = result.cpu;
  if (rate <= 0 || normalized === undefined) return {};
  const bulk = result.throughput !== undefined;
  // Bits per second over 8 x 1024 are KiB per second.
  const demand = (cores: number): object =>
    bulk ? { nsPerKiB: (cores * 1e9) / (rate / 8192) } : { nsPerTransaction: (cores * 1e9) / rate };
  const scaled = (cores: number): number => (cores * normalized.target) / rate;
  return {
    serviceDemand: { local: demand(local), remote: demand(remote) },
    normalized: { ...normalized, localCores: scaled(local), remoteCores: scaled(remote) },
  };
}
