/** What both edges of a window take of the host. */
import { type CpuSample, cpuUsage, readCpuSample } from "./cpu.js";
import { type KernelThreadSample, kernelThreadUsage, readKernelThreads } from "./kernel-threads.js";
import type { CpuUsage, NetworkUse } from "./model.js";
import { type NetworkSample, networkUse, readNetworkSample } from "./network-counters.js";
import { readText } from "./text.js";

export interface HostSample {
  cpu: CpuSample;
  threads: KernelThreadSample;
  network: NetworkSample;
}

/** The CPUs last: nothing shall come between them and the window that opens next. */
export function sampleBeforeWindow(): HostSample {
  const surroundings = { threads: readKernelThreads(readText), network: readNetworkSample(readText) };
  return { ...surroundings, cpu: readCpuSample() };
}

/** The CPUs first: the window has just closed. */
export function sampleAfterWindow(): HostSample {
  const cpu = readCpuSample();
  return { cpu, threads: readKernelThreads(readText), network: readNetworkSample(readText) };
}

/** What passed between the two; `interfaceName` is the one that carried the test, where it is known. */
export function hostUse(
  before: HostSample,
  after: HostSample,
  interfaceName: string | undefined,
): { cpu?: CpuUsage; network?: NetworkUse } {
  const cpu = cpuUsage(before.cpu, after.cpu);
  const kernelThreads = kernelThreadUsage(before.threads, after.threads, readText);
  const network = networkUse(before.network, after.network, interfaceName);
  return {
    ...(cpu && { cpu: kernelThreads === undefined ? cpu : { ...cpu, kernelThreads } }),
    ...(network && { network }),
  };
}
