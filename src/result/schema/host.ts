import { Type } from "typebox";
import { cores, count, figure, list, text } from "./fields.js";

const { Optional, Boolean } = Type;

/** The split of CPU time, shared by the whole host and each of its CPUs. All in cores: 1 = one CPU busy for the whole window. */
const split = {
  userCores: cores("User code, nice included; cores"),
  systemCores: cores("Kernel code outside interrupts; cores"),
  softirqCores: cores("Softirq: most of the network stack's receive side; cores"),
  irqCores: cores("Hardware interrupts; cores"),
  iowaitCores: cores("Idle while a disk request was pending; not busy; cores"),
  stealCores: cores("Taken by the hypervisor for others; not busy; cores"),
};

const CpuCoreSchema = Type.Object(
  {
    cpu: count("CPU number"),
    busyCores: cores("user + system + softirq + irq of this CPU; cores, 0 to 1"),
    ...split,
  },
  { description: "One CPU" },
);

const CgroupCpuSchema = Type.Object(
  {
    usageCores: cores("CPU time charged to the cgroup; cores"),
    throttledNs: count("Time for which its tasks were held back by the CPU limit, ns"),
    throttledPeriods: count("Periods of the CPU limit in which that happened"),
  },
  { description: "The cgroup that cnb-load runs in, from its cpu.stat; absent outside a cgroup of its own" },
);

/** CPU use of one host over its window. */
export const CpuUsageSchema = Type.Object(
  {
    cpus: count("Online CPUs that were observed"),
    busyCores: cores("user + system + softirq + irq of the whole host; cores"),
    utilization: Type.Number({ minimum: 0, maximum: 1, description: "busyCores / cpus, 0 to 1" }),
    ...split,
    processCores: cores("User and system time of the cnb-load process itself, from getrusage(2); cores"),
    cgroup: Optional(CgroupCpuSchema),
    perCpu: list(CpuCoreSchema, "The same for each CPU, in ascending order"),
  },
  { description: "CPU use of the whole host over the window, from /proc/stat" },
);

const OffloadsSchema = Type.Object(
  {
    groFlushTimeoutNs: Optional(count("How long GRO may hold packets back, ns (gro_flush_timeout)")),
    napiDeferHardIrqs: Optional(count("Empty polls before interrupts come back on (napi_defer_hard_irqs)")),
    threadedNapi: Optional(Boolean({ description: "Receive polling runs in kernel threads (threaded)" })),
  },
  {
    description:
      "What sysfs tells about receive processing; TSO, GSO and checksum flags are ethtool's alone and absent here",
  },
);

const ContainerSchema = Type.Object(
  {
    cpuLimitCores: Optional(cores("CPU limit of the cgroup (cpu.max or cfs quota); cores")),
    memoryLimitBytes: Optional(count("Memory limit of the cgroup, bytes")),
  },
  { description: "Limits of the cgroup; absent when there are none" },
);

/** What a reader needs to know of a host to trust or repeat its figures. Whatever could not be read is absent. */
export const HostContextSchema = Type.Object(
  {
    hostname: text("Host name"),
    kernel: text('Operating system and kernel release, e.g. "Linux 6.8.0-45-generic"'),
    arch: text("Machine, as Node names it: x64, arm64, ..."),
    cpuModel: Optional(text("CPU model, from /proc/cpuinfo or the device tree")),
    cpus: count("Online CPUs"),
    governor: Optional(text('Frequency governor, e.g. "performance"; several are joined by commas')),
    congestionControl: Optional(text("Default congestion control")),
    availableCongestionControls: Optional(list(text("Name"), "Congestion controls that the kernel has loaded")),
    interface: Optional(text("Interface that owns the local address of the control connection")),
    mtuBytes: Optional(count("Its MTU, bytes")),
    driver: Optional(text("Its driver")),
    speedBitsPerSecond: Optional(figure("Its link speed, bits per second")),
    rxQueues: Optional(count("Its receive queues")),
    txQueues: Optional(count("Its transmit queues")),
    offloads: Optional(OffloadsSchema),
    clocksource: Optional(text('Clock source of the kernel, e.g. "tsc"')),
    bootId: Optional(text("Boot id of the kernel: equal on both ends when they share one machine")),
    container: Optional(ContainerSchema),
    nodeVersion: text('Node.js version, e.g. "v20.20.2"'),
    version: text("cnb-load version"),
  },
  { description: "The host as it was when the run started" },
);
