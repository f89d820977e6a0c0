/** Where client and server run when one host is both. */
import { readFileSync } from "node:fs";
import { parseCpuList } from "../options/cpu-lists.js";

/** CPUs of both halves of a test; flow i runs on entry i of each. */
export interface Places {
  cpus: number[];
  serverCpus: number[];
}

/** CPUs that this process may use, ascending; empty where the kernel does not tell. */
export function allowedCpus(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readText("/proc/self/status"))?.[1];
  return (list === undefined ? undefined : parseCpuList(list)) ?? [];
}

/** One flow with its halves on different CPUs, of different cores where there are two; null with fewer than two CPUs. */
export function placeOneFlow(
  cpus: readonly number[],
  siblingsOf: (cpu: number) => number[] = readSiblings,
): Places | null {
  const [client, ...others] = cpus;
  if (client === undefined) return null;
  const siblings = siblingsOf(client);
  const server = others.find((cpu) => !siblings.includes(cpu)) ?? others[0];
  return server === undefined ? null : { cpus: [client], serverCpus: [server] };
}

/** One flow per CPU, the halves of each on different CPUs; null with fewer than two. */
export function placeFlowPerCpu(cpus: readonly number[]): Places | null {
  return cpus.length < 2 ? null : { cpus: [...cpus], serverCpus: [...cpus.slice(1), ...cpus.slice(0, 1)] };
}

function readSiblings(cpu: number): number[] {
  return parseCpuList(readText(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`)) ?? [];
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
