/** CPUs: which may be used, what else they do, how they sleep. */
import { formatCpuList, parseCpuList } from "../options/cpu-lists.js";
import { readCgroupCpu } from "../result/cgroup.js";
import { type CpuTicks, parseProcStat } from "../result/cpu.js";
import { firstLine, wholeNumber } from "../result/text.js";
import { type Check, type Judgement, fine } from "./finding.js";
import type { Surroundings } from "./surroundings.js";

const STEAL_SHARE = 0.01;
/** Cores busy while the doctor itself sleeps. */
const BUSY_CORES = 0.25;
/** A wake-up that is worth mentioning beside the round trip of a LAN. */
const SLOW_WAKE_US = 20;

function allowedCpus({ read, context: { cpus } }: Surroundings): Judgement {
  const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read("/proc/self/status") ?? "") ?? [];
  const allowed = list === undefined ? undefined : parseCpuList(list);
  if (allowed === undefined) return { severity: "unknown", found: "could not be read", remedy: "taskset -cp $$" };
  const found = `CPU ${formatCpuList(allowed)}, ${allowed.length} of ${cpus}`;
  if (allowed.length === 1) return { severity: "warning", found, remedy: "taskset -c LIST cnb-load ..." };
  return allowed.length < cpus ? { severity: "notice", found, remedy: "taskset -c LIST cnb-load ..." } : fine(found);
}

function throttled({ read }: Surroundings): Judgement | undefined {
  const counters = readCgroupCpu(read);
  if (counters === undefined) return undefined;
  const { throttledPeriods, throttledUs } = counters;
  if (throttledPeriods === 0) return fine("never so far");
  const found = `${throttledPeriods} times so far, ${(throttledUs / 1e6).toFixed(1)} s in all`;
  return { severity: "notice", found, remedy: "echo max > /sys/fs/cgroup/CGROUP/cpu.max  # as for cpu-limit" };
}

/** Shares of all CPUs' time between two readings of /proc/stat; undefined where they do not tell. */
function timeShares({ stat: { before, after } }: Surroundings): { steal: number; busy: number } | undefined {
  const [first, last] = [parseProcStat(before ?? ""), parseProcStat(after ?? "")];
  let [all, steal, busy] = [0, 0, 0];
  for (const [cpu, ticks] of last) {
    const earlier = first.get(cpu);
    if (earlier === undefined) continue;
    const passed = (column: keyof CpuTicks): number => Math.max(0, ticks[column] - earlier[column]);
    const working = passed("user") + passed("nice") + passed("system") + passed("irq") + passed("softirq");
    steal += passed("steal");
    busy += working;
    all += working + passed("steal") + passed("idle") + passed("iowait");
  }
  return all === 0 ? undefined : { steal: steal / all, busy: busy / all };
}

const NO_SHARES: Judgement = { severity: "unknown", found: "/proc/stat does not tell", remedy: "vmstat 1 5" };

function steal(host: Surroundings): Judgement {
  const shares = timeShares(host);
  if (shares === undefined) return NO_SHARES;
  const found = `${(shares.steal * 100).toFixed(1)} % of all CPU time over a second`;
  if (shares.steal <= STEAL_SHARE) return fine(found);
  return {
    severity: "warning",
    found,
    remedy: "vmstat 1  # column st; then another host, or dedicated CPUs",
  };
}

function otherLoad(host: Surroundings): Judgement {
  const shares = timeShares(host);
  if (shares === undefined) return NO_SHARES;
  const cores = shares.busy * host.context.cpus;
  const found = `${cores.toFixed(2)} of ${host.context.cpus} cores were busy over a second`;
  return cores > BUSY_CORES ? { severity: "warning", found, remedy: "top -b -n 1 | head -20" } : fine(found);
}

function idleStates({ read, list }: Surroundings): Judgement | undefined {
  const folder = "/sys/devices/system/cpu/cpu0/cpuidle";
  const states = list(folder).flatMap((state) => {
    const latencyUs = wholeNumber(read(`${folder}/${state}/latency`));
    const disabled = firstLine(read(`${folder}/${state}/disable`)) === "1";
    return latencyUs === undefined || disabled ? [] : [{ latencyUs, name: firstLine(read(`${folder}/${state}/name`)) }];
  });
  const deepest = states.toSorted((a, b) => b.latencyUs - a.latencyUs)[0];
  if (deepest === undefined) return undefined;
  const found = `the deepest, ${deepest.name ?? "unnamed"}, takes ${deepest.latencyUs} us to wake from`;
  if (deepest.latencyUs <= SLOW_WAKE_US) return fine(found);
  return { severity: "notice", found, remedy: `cpupower idle-set -D ${SLOW_WAKE_US}` };
}

export const cpuChecks: readonly Check<Surroundings>[] = [
  {
    id: "allowed-cpus",
    judge: allowedCpus,
    why: "Workers are pinned to the CPUs that the process may use, and share them with Node.js when there is only one.",
  },
  { id: "throttling", judge: throttled, why: "A cgroup that was held back before will be held back in a test." },
  { id: "steal", judge: steal, why: "Time that the hypervisor gives to others is missing from every figure." },
  {
    id: "other-load",
    judge: otherLoad,
    why: "Other work takes CPU, caches and the network's softirq time from the test, and counts in the host's CPU figures.",
  },
  {
    id: "idle-states",
    judge: idleStates,
    why: "A worker that waits lets its CPU sleep, and waking it is part of the round trip; --engine spin never sleeps.",
  },
];
