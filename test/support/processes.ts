/** What the kernel knows of a process, from /proc. */
import { readFileSync, readdirSync, readlinkSync } from "node:fs";

export interface Thread {
  tid: number;
  name: string;
  /** CPUs that it may run on, as in "0-3,5". */
  allowedCpus: string;
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
}

/** Threads that end while they are read are left out. */
export function threads(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((tid) => {
    const status = tryRead(`/proc/${pid}/task/${tid}/status`);
    if (status === undefined) return [];
    return [{ tid: Number(tid), name: field(status, "Name"), allowedCpus: field(status, "Cpus_allowed_list") }];
  });
}

/** The NUMA node that a thread's memory comes from by preference, -1 without one. */
export function preferredNode(pid: number, { tid }: Thread): number {
  const maps = tryRead(`/proc/${pid}/task/${tid}/numa_maps`) ?? "";
  return Number(/^\S+ prefer:(\d+) /m.exec(maps)?.[1] ?? -1);
}

export function threadNames(pid: number): string[] {
  return threads(pid).map(({ name }) => name);
}

/** What the descriptors of a process refer to, e.g. "socket:[123]". */
export function descriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
}

/** Resident memory that is neither file nor shared, bytes. */
export function anonymousBytes(pid: number): number {
  return Number.parseInt(field(tryRead(`/proc/${pid}/status`) ?? "", "RssAnon")) * 1024;
}

/** A zombie counts as gone: it holds nothing. */
export function isAlive(pid: number): boolean {
  const stat = tryRead(`/proc/${pid}/stat`);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}
