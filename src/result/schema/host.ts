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

const KernelThreadSchema = Type.Object(
  {
    name: text('Threads of one kind, e.g. "ksoftirqd"; a kworker is filed under the work that it did last'),
    cores: cores("CPU time of all of them, part of systemCores and softirqCores; cores"),
  },
  { description: "Kernel threads of one kind" },
);

const InterfaceUseSchema = Type.Object(
  {
    rxBytes: count("Bytes received, headers included"),
    rxPackets: count("Packets received; what GRO merged counts as the driver does"),
    rxErrors: count("Receive errors"),
    rxDropped: count("Packets dropped on reception"),
    txBytes: count("Bytes sent, headers included"),
    txPackets: count("Packets sent; a TSO packet counts as the driver does"),
    txErrors: count("Transmit errors"),
    txDropped: count("Packets dropped on transmission"),
  },
  { description: "The interface of host.local or host.remote, from /proc/net/dev" },
);

const SoftnetUseSchema = Type.Object(
  {
    processed: count("Packets taken from the CPUs' queues"),
    dropped: count("Packets dropped because a queue was full (net.core.netdev_max_backlog)"),
    timeSqueezed: count("Polls that ended with work left over (net.core.netdev_budget)"),
    receivedRps: count("Times that a CPU was woken to receive for another (RPS)"),
  },
  {
    description:
      "Receive processing of all CPUs, from /proc/net/softnet_stat: of the whole host, whatever the namespace",
  },
);

const TcpUseSchema = Type.Object(
  {
    activeOpens: count("Connections begun"),
    passiveOpens: count("Connections accepted"),
    inSegments: count("Segments received"),
    outSegments: count("Segments sent, retransmitted ones not included"),
    retransmittedSegments: count("Segments retransmitted"),
    timeouts: count("Retransmission timeouts"),
    listenOverflows: count("Times that an accept queue was full (net.core.somaxconn)"),
    listenDrops: count("SYNs and handshakes dropped by listeners"),
    fastOpensActive: count("Connections begun whose SYN carried data that the peer took"),
    fastOpensPassive: count("Connections accepted whose SYN carried data"),
  },
  { description: "TCP as a whole in the network namespace, from /proc/net/snmp and /proc/net/netstat" },
);

const UdpUseSchema = Type.Object(
  {
    inDatagrams: count("Datagrams delivered to sockets"),
    outDatagrams: count("Datagrams sent"),
    noPorts: count("Datagrams for ports that nobody listened on"),
    inErrors: count("Datagrams that could not be delivered, full receive buffers among them"),
    receiveBufferErrors: count("Datagrams that found a socket's receive buffer full"),
    sendBufferErrors: count("Datagrams that this host dropped on their way out: no memory, or a full queue"),
  },
  { description: "UDP of the whole network namespace, IPv4 and IPv6, from /proc/net/snmp and snmp6" },
);

/** Growth of the network stack's counters from just before one host's window to just after it. */
export const NetworkUseSchema = Type.Object(
  {
    interface: Optional(InterfaceUseSchema),
    softnet: Optional(SoftnetUseSchema),
    tcp: Optional(TcpUseSchema),
    udp: Optional(UdpUseSchema),
  },
  {
    description:
      "Counters of the network stack from just before the window to just after it; other traffic counts, too",
  },
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
    kernelThreads: Optional(
      list(KernelThreadSchema, "Kernel threads that ran, the busiest first; absent where the host does not show them"),
    ),
    perCpu: list(CpuCoreSchema, "The same for each CPU, in ascending order"),
  },
  { description: "CPU use of the whole host over the window, from /proc/stat" },
);

const OffloadsSchema = Type.Object(
  {
    groFlushTimeoutNs: Optional(count("How long GRO may hold packets back, ns (gro_flush_timeout)")),
    napiDeferHardIrqs: Optional(count("Empty polls before interrupts come back on (napi_defer_hard_irqs)")),
    threadedNapi: Optional(Boolean({ description: "Receive polling runs in kernel threads (threaded)" })),
    tso: Optional(Boolean({ description: "TCP segmentation offload" })),
    gso: Optional(Boolean({ description: "Generic segmentation offload" })),
    gro: Optional(Boolean({ description: "Generic receive offload" })),
    lro: Optional(Boolean({ description: "Large receive offload" })),
    rxChecksum: Optional(Boolean({ description: "Receive checksums are the device's work" })),
    txChecksum: Optional(Boolean({ description: "Transmit checksums are the device's work" })),
  },
  { description: "What sysfs and the ethtool ioctl tell of the interface's work for the stack" },
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
    rpsCpus: Optional(
      list(count("CPU number"), "CPUs that its receive queues hand packets to (RPS, rps_cpus); empty when that is off"),
    ),
    qdisc: Optional(text('Its root queueing discipline, e.g. "fq"')),
    offloads: Optional(OffloadsSchema),
    clocksource: Optional(text('Clock source of the kernel, e.g. "tsc"')),
    bootId: Optional(text("Boot id of the kernel: equal on both ends when they share one machine")),
    container: Optional(ContainerSchema),
    nodeVersion: text('Node.js version, e.g. "v20.20.2"'),
    version: text("cnb-load version"),
  },
  { description: "The host as it was when the run started" },
);
