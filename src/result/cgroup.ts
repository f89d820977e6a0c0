/** The cgroup that this process runs in: its limits and its CPU counters. Version 2 and version 1 (cpu and memory controllers). */
import { compact } from "./compact.js";
import type { HostContext } from "./model.js";
import { keyedNumbers, type ReadText, wholeNumber, words } from "./text.js";

export interface CgroupCpuCounters {
  usageUs: number;
  throttledUs: number;
  throttledPeriods: number;
}

const ROOT = "/sys/fs/cgroup";

/** Path of the process in the hierarchy of a controller, from the text of /proc/self/cgroup; "" names version 2. */
export function parseCgroupPath(text: string | undefined, controller: string): string | undefined {
  for (const line of text?.split("\n") ?? []) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (match?.[1]?.split(",").includes(controller)) return match[2];
  }
  return undefined;
}

/**
 * The folder that holds `file` for this process. A container sees its own cgroup mounted at the top, while /proc/self/cgroup may
 * still name the path that the host knows: so the named path comes first and the top second.
 */
function cgroupFolder(read: ReadText, controller: string, file: string): string | undefined {
  const path = parseCgroupPath(read("/proc/self/cgroup"), controller);
  if (path === undefined) return undefined;
  const top = controller === "" ? ROOT : `${ROOT}/${controller}`;
  return [`${top}${path === "/" ? "" : path}`, top].find((folder) => read(`${folder}/${file}`) !== undefined);
}

/** cpu.max: "max 100000" or "150000 100000", in microseconds. */
export function parseCpuMax(text: string | undefined): number | undefined {
  const [quota, period] = words(text).map((word) => wholeNumber(word));
  return quota !== undefined && period !== undefined && period > 0 ? quota / period : undefined;
}

/** cpu.stat of version 2 counts microseconds; that of version 1 nanoseconds, and leaves the use to cpuacct.usage. */
export function parseCpuStat(cpuStat: string | undefined, cpuacctUsage?: string): CgroupCpuCounters | undefined {
  const values = keyedNumbers(cpuStat);
  const usageNs = wholeNumber(cpuacctUsage);
  const usageUs = values.get("usage_usec") ?? (usageNs === undefined ? undefined : usageNs / 1000);
  if (usageUs === undefined) return undefined;
  return {
    usageUs,
    throttledUs: values.get("throttled_usec") ?? (values.get("throttled_time") ?? 0) / 1000,
    throttledPeriods: values.get("nr_throttled") ?? 0,
  };
}

function versionOneQuota(read: ReadText, folder: string): number | undefined {
  // A quota of -1, "no limit", is no whole number and falls out here.
  return parseCpuMax(`${read(`${folder}/cpu.cfs_quota_us`) ?? ""} ${read(`${folder}/cpu.cfs_period_us`) ?? ""}`);
}

/** CPU counters of the cgroup; undefined in the root cgroup, whose figures are the host's own. */
export function readCgroupCpu(read: ReadText): CgroupCpuCounters | undefined {
  // Only a cgroup below the root that has the cpu controller has cpu.max.
  const v2 = cgroupFolder(read, "", "cpu.max");
  if (v2 !== undefined) return parseCpuStat(read(`${v2}/cpu.stat`));
  const v1 = cgroupFolder(read, "cpu", "cpu.cfs_quota_us");
  if (v1 === undefined || versionOneQuota(read, v1) === undefined) return undefined;
  return parseCpuStat(read(`${v1}/cpu.stat`), read(`${v1}/cpuacct.usage`));
}

/** Limits of the cgroup, undefined when it has none. */
export function readCgroupLimits(read: ReadText): HostContext["container"] {
  const cpuV2 = cgroupFolder(read, "", "cpu.max");
  const cpuV1 = cgroupFolder(read, "cpu", "cpu.cfs_quota_us");
  const memoryV2 = cgroupFolder(read, "", "memory.max");
  const memoryV1 = cgroupFolder(read, "memory", "memory.limit_in_bytes");
  let cpuLimitCores = cpuV2 === undefined ? undefined : parseCpuMax(read(`${cpuV2}/cpu.max`));
  if (cpuV1 !== undefined) cpuLimitCores ??= versionOneQuota(read, cpuV1);
  let memoryLimitBytes = memoryV2 === undefined ? undefined : wholeNumber(read(`${memoryV2}/memory.max`));
  // Version 1 says "no limit" with a number beyond what a double holds exactly, which wholeNumber() refuses.
  if (memoryV1 !== undefined) memoryLimitBytes ??= wholeNumber(read(`${memoryV1}/memory.limit_in_bytes`));
  if (cpuLimitCores === undefined && memoryLimitBytes === undefined) return undefined;
  return compact({ cpuLimitCores, memoryLimitBytes });
}
