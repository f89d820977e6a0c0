/** CPU use the way netperf states it: percent of the whole machine. */
import type { CpuUsage } from "../result/model.js";
import type { OmniResults } from "./wire/omni.js";
import { PROC_STAT } from "./wire/omni.js";

export type CpuFigures = Pick<
  OmniResults,
  | "cpuUtil"
  | "cpuUser"
  | "cpuSystem"
  | "cpuIowait"
  | "cpuIrq"
  | "cpuSoftirq"
  | "cpuMethod"
  | "cpus"
  | "peakCpu"
  | "peakCpuUtil"
>;

/** Busy is all that was not idle: netperf counts I/O wait and stolen time, which `busyCores` leaves out. */
function busyOf(split: { busyCores: number; iowaitCores: number; stealCores: number }): number {
  return split.busyCores + split.iowaitCores + split.stealCores;
}

/** Undefined where the host did not tell. */
export function cpuFigures(usage: CpuUsage | undefined): CpuFigures | undefined {
  if (usage === undefined) return undefined;
  const percent = (cores: number): number => (100 * cores) / usage.cpus;
  const peak = usage.perCpu.reduce((most, one) => (busyOf(one) > busyOf(most) ? one : most));
  return {
    cpuUtil: percent(busyOf(usage)),
    cpuUser: percent(usage.userCores),
    cpuSystem: percent(usage.systemCores),
    cpuIowait: percent(usage.iowaitCores),
    cpuIrq: percent(usage.irqCores),
    cpuSoftirq: percent(usage.softirqCores),
    cpuMethod: PROC_STAT,
    cpus: usage.cpus,
    peakCpu: peak.cpu,
    peakCpuUtil: 100 * busyOf(peak),
  };
}
