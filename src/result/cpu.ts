/** CPU use of the whole host from /proc/stat (proc_stat(5)), with the process' own share and its cgroup's beside it. */
import { type CgroupCpuCounters, readCgroupCpu } from "./cgroup.js";
import { compact } from "./compact.js";
import type { CpuUsage } from "./model.js";
import { readText, wholeNumber, words } from "./text.js";

/** Columns of a `cpu` line, in ticks of USER_HZ (sysconf(_SC_CLK_TCK), 100 on every Linux port). Guest time is part of user already. */
const COLUMNS = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"] as const;
export type CpuTicks = Record<(typeof COLUMNS)[number], number>;

/** Cumulative counters at one moment; two of them make a {@link CpuUsage}. */
export interface CpuSample {
  /** When it was taken, ns of the monotonic clock. */
  atNs: number;
  /** By CPU number; empty when /proc/stat could not be read. */
  ticks: Map<number, CpuTicks>;
  /** User and system time of this process, ns. */
  processNs: number;
  cgroup: CgroupCpuCounters | undefined;
}

/** The `cpuN` lines of /proc/stat. Columns that an old kernel lacks count as 0; lines that are not whole numbers are skipped. */
export function parseProcStat(text: string): Map<number, CpuTicks> {
  const ticks = new Map<number, CpuTicks>();
  for (const line of text.split("\n")) {
    const [name = "", ...fields] = words(line);
    const cpu = wholeNumber(/^cpu(\d+)$/.exec(name)?.[1]);
    const values = fields.slice(0, COLUMNS.length).map((field) => wholeNumber(field));
    if (cpu === undefined || values.length < 4 || values.includes(undefined)) continue;
    ticks.set(cpu, Object.fromEntries(COLUMNS.map((column, index) => [column, values[index] ?? 0])) as CpuTicks);
  }
  return ticks;
}

/** The counters of now. Reads small files synchronously: below a millisecond, more on hosts with hundreds of CPUs. */
export function readCpuSample(): CpuSample {
  const { user, system } = process.cpuUsage();
  return {
    atNs: Number(process.hrtime.bigint()),
    ticks: parseProcStat(readText("/proc/stat") ?? ""),
    processNs: (user + system) * 1000,
    cgroup: readCgroupCpu(readText),
  };
}

type CpuSplit = Omit<CpuUsage["perCpu"][number], "cpu">;

/**
 * Shares of one CPU's time, each 0 to 1. The divisor is the sum of all columns, not the window: the tick's length cancels out, and
 * shares stay within bounds however far the moment of sampling is from the window's edge. iowait and idle may run backwards
 * (proc_stat(5)), and all columns do when a CPU went offline and came back: such a column counts as 0. Undefined when no time passed.
 */
function cpuShares(before: CpuTicks, after: CpuTicks): CpuSplit | undefined {
  const passed = Object.fromEntries(
    COLUMNS.map((column) => [column, Math.max(0, after[column] - before[column])]),
  ) as CpuTicks;
  const all = COLUMNS.reduce((sum, column) => sum + passed[column], 0);
  if (all === 0) return undefined;
  return {
    busyCores: (passed.user + passed.nice + passed.system + passed.softirq + passed.irq) / all,
    userCores: (passed.user + passed.nice) / all,
    systemCores: passed.system / all,
    softirqCores: passed.softirq / all,
    irqCores: passed.irq / all,
    iowaitCores: passed.iowait / all,
    stealCores: passed.steal / all,
  };
}

/**
 * CPU use between two samples. Undefined when the host does not tell: /proc/stat unreadable or standing still. CPUs that came or
 * went between the samples are left out.
 */
export function cpuUsage(before: CpuSample, after: CpuSample): CpuUsage | undefined {
  const perCpu: CpuUsage["perCpu"] = [];
  for (const [cpu, ticks] of [...after.ticks].sort(([a], [b]) => a - b)) {
    const earlier = before.ticks.get(cpu);
    const shares = earlier && cpuShares(earlier, ticks);
    if (shares) perCpu.push({ cpu, ...shares });
  }
  const passedNs = after.atNs - before.atNs;
  if (perCpu.length === 0 || passedNs <= 0) return undefined;
  const sum = (name: keyof CpuSplit): number => perCpu.reduce((total, one) => total + one[name], 0);
  const busyCores = sum("busyCores");
  return compact({
    cpus: perCpu.length,
    busyCores,
    utilization: Math.min(1, busyCores / perCpu.length),
    userCores: sum("userCores"),
    systemCores: sum("systemCores"),
    softirqCores: sum("softirqCores"),
    irqCores: sum("irqCores"),
    iowaitCores: sum("iowaitCores"),
    stealCores: sum("stealCores"),
    processCores: Math.max(0, after.processNs - before.processNs) / passedNs,
    cgroup: cgroupUsage(before.cgroup, after.cgroup, passedNs),
    perCpu,
  });
}

function cgroupUsage(
  before: CgroupCpuCounters | undefined,
  after: CgroupCpuCounters | undefined,
  passedNs: number,
): CpuUsage["cgroup"] {
  if (before === undefined || after === undefined) return undefined;
  const passed = (name: keyof CgroupCpuCounters): number => Math.max(0, after[name] - before[name]);
  return {
    usageCores: (passed("usageUs") * 1000) / passedNs,
    throttledNs: Math.round(passed("throttledUs") * 1000),
    throttledPeriods: passed("throttledPeriods"),
  };
}
