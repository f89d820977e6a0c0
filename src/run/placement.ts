import { formatCpuList } from "../options/cpu-lists.js";
import { conflictingOption } from "../options/spec.js";

/** The CPUs that one host's workers may be placed on. */
export interface CpuSupply {
  /** CPUs that this process may use, ascending. */
  allowed: readonly number[];
  /** CPUs asked for, in order, or null for the default. */
  wanted: readonly number[] | null;
  /** Name of the option that asked, for errors. */
  option: "cpus" | "serverCpus";
  /** The CPU that the JS thread runs on. */
  current: number;
  /** CPUs of the other end's workers where both ends share one machine. */
  taken: readonly number[];
  /** Which of its core's threads a CPU is, 0 for the first. */
  coreRank: (cpu: number) => number;
}

/** Throws ERR_INVALID_OPTION where a CPU was asked for that this process may not use. */
export function checkCpus({ wanted, allowed, option }: Pick<CpuSupply, "wanted" | "allowed" | "option">): void {
  const foreign = wanted?.filter((cpu) => !allowed.includes(cpu)) ?? [];
  if (foreign.length === 0) return;
  const which = foreign.length === 1 ? "CPU" : "CPUs";
  const where = option === "cpus" ? "this process" : "the server";
  throw conflictingOption(
    option,
    `${which} ${formatCpuList(foreign)} cannot be used; ${where} may use ${formatCpuList(allowed)}`,
  );
}

/**
 * The CPU of each worker. Those asked for, in turn; by default the allowed ones in ascending order, but every core before the second
 * thread of one, the JS thread's own CPU after them, and CPUs on which the other end's workers sit last of all: sharing a CPU with the peer
 * costs more than sharing it with JS.
 */
export function placeWorkers(workers: number, supply: CpuSupply): number[] {
  checkCpus(supply);
  const { allowed, wanted, current, taken, coreRank } = supply;
  const cost = (cpu: number): number =>
    (taken.includes(cpu) ? 1e6 : 0) + coreRank(cpu) * 10 + (cpu === current ? 1 : 0);
  const order = wanted ?? [...allowed].sort((a, b) => cost(a) - cost(b) || a - b);
  return Array.from({ length: workers }, (_, index) => order[index % order.length] ?? -1);
}
