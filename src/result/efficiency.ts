/** CPU time per unit of work, and CPU use scaled to a stated rate. */
import { type ResolvedSpec, type TestName, isBulk, makesConnections } from "../options/spec.js";
import { compact } from "./compact.js";
import type { CpuUsage, Result } from "./model.js";

type Cpu = Result["cpu"];
type ServiceDemand = NonNullable<NonNullable<Cpu["serviceDemand"]>["local"]>;
interface Ends {
  local: CpuUsage | undefined;
  remote: CpuUsage | undefined;
}

/** The rate at which CPU use is stated: the one asked for, else a full 100 Gbit/s link, and what busy services see. */
function targetOf({
  test,
  cpuAtPerSecond: asked,
}: ResolvedSpec): Pick<NonNullable<Cpu["normalized"]>, "target" | "unit"> {
  if (isBulk(test)) return { target: asked || 100e9, unit: "bitsPerSecond" };
  return makesConnections(test)
    ? { target: asked || 250e3, unit: "connectionsPerSecond" }
    : { target: asked || 1e6, unit: "transactionsPerSecond" };
}

function serviceDemand(test: TestName, rate: number, cpu: CpuUsage | undefined): ServiceDemand | undefined {
  if (cpu === undefined) return undefined;
  // Bits per second over 8 x 1024 are KiB per second; netperf's KB are 1024 bytes as well.
  return isBulk(test)
    ? { nsPerKiB: (cpu.busyCores * 1e9) / (rate / 8192) }
    : { nsPerTransaction: (cpu.busyCores * 1e9) / rate };
}

/**
 * The CPU section. `rate` is what the test measured: bits per second of goodput (STREAM) or transactions per second, which for CRR are
 * connections too; without one, or with 0, there is nothing to divide by and only the use itself is given.
 */
export function cpuSection(spec: ResolvedSpec, rate: number | undefined, { local, remote }: Ends): Cpu {
  if (rate === undefined || rate === 0 || (local === undefined && remote === undefined)) {
    return compact({ local, remote });
  }
  const { test } = spec;
  const { target, unit } = targetOf(spec);
  const scaled = (cpu: CpuUsage | undefined): number | undefined => cpu && (cpu.busyCores * target) / rate;
  return compact({
    local,
    remote,
    serviceDemand: compact({
      local: serviceDemand(test, rate, local),
      remote: serviceDemand(test, rate, remote),
    }),
    normalized: compact({
      target,
      unit,
      method: "linear-extrapolation",
      localCores: scaled(local),
      remoteCores: scaled(remote),
    }),
  });
}
