/** CPU time of kernel threads: where receive processing (ksoftirqd, napi) and encryption (kworker) hide from a process' own account. */
import { firstLine, type ReadText, wholeNumber, words } from "./text.js";

/** Cumulative run time by thread id at one moment; empty where the kernel does not list its threads. */
export interface KernelThreadSample {
  /** ns of the monotonic clock. */
  atNs: number;
  runNs: Map<number, number>;
}

/** Groups are few; whoever needs more looks at one host with other tools. */
const MOST = 16;

/**
 * Reads the children of kthreadd (CONFIG_PROC_CHILDREN) and their /proc/PID/schedstat, in ns: some ten microseconds for each of a few
 * hundred threads. A container with a pid namespace of its own sees none of them.
 */
export function readKernelThreads(read: ReadText): KernelThreadSample {
  const runNs = new Map<number, number>();
  if (firstLine(read("/proc/2/comm")) === "kthreadd") {
    for (const word of words(read("/proc/2/task/2/children"))) {
      const pid = wholeNumber(word);
      const ran = pid === undefined ? undefined : wholeNumber(words(read(`/proc/${pid}/schedstat`))[0]);
      if (pid !== undefined && ran !== undefined) runNs.set(pid, ran);
    }
  }
  return { atNs: Number(process.hrtime.bigint()), runNs };
}

/**
 * Name of the group that a thread belongs to, without CPU and serial numbers: "ksoftirqd/1" is "ksoftirqd", "napi/eth0-8193" is "napi/eth0".
 * A kworker shows the work that it did last ("kworker/0:1-wg-crypt-wg0", wq_worker_comm() in kernel/workqueue.c) and is filed under it.
 */
export function threadGroup(comm: string): string {
  const work = /^kworker\/[^-]*-(.+)$/.exec(comm)?.[1];
  if (work !== undefined) return `kworker (${work.replace(/\+$/, "")})`;
  return comm
    .replace(/^(kworker)\/.*$/, "$1")
    .replace(/^(napi\/.+)-\d+$/, "$1")
    .replace(/\/\d+$/, "");
}

/** Groups that ran between two samples, the busiest first. Threads that ended in between are lost. */
export function kernelThreadUsage(
  before: KernelThreadSample,
  after: KernelThreadSample,
  read: ReadText,
): { name: string; cores: number }[] | undefined {
  const passedNs = after.atNs - before.atNs;
  if (after.runNs.size === 0 || passedNs <= 0) return undefined;
  const groups = new Map<string, number>();
  for (const [pid, ran] of after.runNs) {
    const grown = ran - (before.runNs.get(pid) ?? 0);
    if (grown <= 0) continue;
    const name = threadGroup(firstLine(read(`/proc/${pid}/comm`)) ?? "unknown");
    groups.set(name, (groups.get(name) ?? 0) + grown);
  }
  return [...groups]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST)
    .map(([name, ns]) => ({ name, cores: ns / passedNs }));
}
