/** What both ends tell of themselves: a server by the control protocol, this host in the same words. */
import type { HostContext } from "../result/model.js";
import { type Check, type Judgement, fine } from "./finding.js";
import type { UringSupport } from "./surroundings.js";

export interface Described {
  context: HostContext;
  uring: UringSupport;
}

/** Read from user space through the vDSO, at some 20 ns. */
const FAST_CLOCKS = [
  "tsc",
  "kvm-clock",
  "hyperv_clocksource_tsc_page",
  "arch_sys_counter",
  "timebase",
  "riscv_clocksource",
  "tod",
];
/** Read by a system call, and from a device or in ticks. */
const SLOW_CLOCKS = ["hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"];

function governor({ context }: Described): Judgement {
  const { governor: names } = context;
  const remedy = "cpupower frequency-set -g performance";
  if (names === undefined) {
    const found = "this kernel scales no CPU frequency; in a virtual machine its host may";
    return { severity: "unknown", found };
  }
  return names === "performance" ? fine(names) : { severity: "warning", found: names, remedy };
}

function clockSource({ context }: Described): Judgement {
  const { clocksource: name } = context;
  const files = "/sys/devices/system/clocksource/clocksource0";
  if (name === undefined) {
    return { severity: "unknown", found: "could not be read", remedy: `cat ${files}/current_clocksource` };
  }
  if (FAST_CLOCKS.includes(name)) return fine(name);
  const remedy = `echo tsc > ${files}/current_clocksource  # where available_clocksource beside it has tsc`;
  return { severity: SLOW_CLOCKS.includes(name) ? "warning" : "notice", found: name, remedy };
}

function cpuLimit({ context: { container, cpus } }: Described): Judgement {
  const limit = container?.cpuLimitCores;
  if (limit === undefined) return fine("none");
  const found = `${Number(limit.toFixed(2))} cores of ${cpus} CPUs`;
  const remedy =
    "echo max > /sys/fs/cgroup/CGROUP/cpu.max  # docker: update --cpus 0 CONTAINER; Kubernetes: without resources.limits.cpu";
  return { severity: limit < cpus ? "warning" : "notice", found, remedy };
}

function congestionControl({ context: { congestionControl: name } }: Described): Judgement | undefined {
  if (name === undefined) return undefined;
  if (!name.startsWith("bbr")) return fine(name);
  return { severity: "notice", found: name, remedy: "sysctl -w net.ipv4.tcp_congestion_control=cubic" };
}

function ioUring({ uring }: Described): Judgement {
  if ("error" in uring) return { severity: "severe", found: uring.error };
  if (uring.refusal === null) return fine("available");
  return {
    severity: "notice",
    found: uring.refusal,
    remedy: "sysctl -w kernel.io_uring_disabled=0  # in a container: let its seccomp profile pass io_uring_setup",
  };
}

function interfaceFound({ context }: Described): Judgement {
  const { interface: name, driver, speedBitsPerSecond } = context;
  if (name === undefined) {
    const found = "no interface was found; name the server, cnb-load doctor HOST, to look at the way there";
    return { severity: "unknown", found };
  }
  if (name === "lo") return { severity: "notice", found: "lo: no network card takes part" };
  const speed = speedBitsPerSecond === undefined ? [] : [`${Number((speedBitsPerSecond / 1e9).toFixed(3))} Gbit/s`];
  return fine([name, driver ?? "a virtual interface", ...speed].join(", "));
}

function mtu({ context: { mtuBytes, interface: name } }: Described): Judgement | undefined {
  if (mtuBytes === undefined || name === undefined) return undefined;
  const found = `${mtuBytes} bytes on ${name}`;
  return mtuBytes < 1500 ? { severity: "notice", found } : fine(found);
}

/** Offloads by their names in a result, as `ethtool -K` calls them. */
const OFFLOADS = { rxChecksum: "rx", txChecksum: "tx", tso: "tso", gso: "gso", gro: "gro" } as const;
/** Queueing disciplines that hold packets back on purpose. */
const SHAPERS = ["tbf", "htb", "hfsc", "cbq", "cake", "netem", "ets", "drr", "qfq"];

function offloads({ context: { interface: name, offloads: settings, driver } }: Described): Judgement | undefined {
  if (name === undefined) return undefined;
  // Between virtual interfaces packets stay as large as they were sent: there is nothing to join.
  const known = (Object.keys(OFFLOADS) as (keyof typeof OFFLOADS)[]).filter(
    (feature) => settings?.[feature] !== undefined && !(feature === "gro" && driver === undefined),
  );
  const remedy = `ethtool -k ${commandName(name)}`;
  if (known.length === 0) return { severity: "unknown", found: "the kernel does not tell", remedy };
  const named = (features: readonly (keyof typeof OFFLOADS)[]): string[] =>
    features.map((feature) => OFFLOADS[feature]);
  const off = named(known.filter((feature) => settings?.[feature] === false));
  if (off.length === 0) return fine(`${named(known).join(", ")} are on`);
  const settingsOn = off.map((feature) => `${feature} on`).join(" ");
  return {
    severity: "warning",
    found: `off: ${off.join(", ")}`,
    remedy: `ethtool -K ${commandName(name)} ${settingsOn}  # where the driver can`,
  };
}

function queueing({ context: { interface: name, qdisc } }: Described): Judgement | undefined {
  if (name === undefined) return undefined;
  const device = commandName(name);
  if (qdisc === undefined) {
    return { severity: "unknown", found: "the kernel does not tell", remedy: `tc qdisc show dev ${device}` };
  }
  if (!SHAPERS.includes(qdisc)) return fine(qdisc);
  const remedy = `tc qdisc del dev ${device} root  # unless it is what you measure`;
  return { severity: "warning", found: `${qdisc} on ${name}`, remedy };
}

export const contextChecks: readonly Check<Described>[] = [
  {
    id: "interface",
    judge: interfaceFound,
    why: "The card, its driver and its queues are part of what is measured.",
  },
  {
    id: "offloads",
    judge: offloads,
    why: "Without them the CPU cuts, joins or sums every packet itself: throughput falls and CPU per byte rises severalfold.",
  },
  {
    id: "qdisc",
    judge: queueing,
    why: "A queueing discipline that shapes sets the rate and the latency, whatever the network could do.",
  },
  { id: "mtu", judge: mtu, why: "Every packet costs CPU, however small: a tunnel's smaller MTU makes more of them." },
  {
    id: "governor",
    judge: governor,
    why: "A CPU that is clocked down while it waits answers later and counts more busy time for the same work.",
  },
  {
    id: "clock-source",
    judge: clockSource,
    why: "Every transaction reads the clock; one that is no mere instruction costs a system call, and a coarse one blurs latencies.",
  },
  {
    id: "cpu-limit",
    judge: cpuLimit,
    why: "A cgroup that used up its share is stopped for the rest of the period, tens of milliseconds in the middle of a test.",
  },
  {
    id: "congestion-control",
    judge: congestionControl,
    why: "BBR paces its packets: with round trips far below a millisecond that can cost most of the throughput.",
  },
  { id: "io-uring", judge: ioUring, why: "Without io_uring --engine uring gives way to epoll." },
];

/** An interface's name as a command takes it: the server's is a peer's word. */
function commandName(name: string | undefined): string {
  return name !== undefined && /^[A-Za-z0-9][\w.@-]{0,14}$/.test(name) ? name : "INTERFACE";
}

/** How the two ends go together. */
export interface Ends {
  local: HostContext;
  remote: HostContext;
}

function sameMtu({ local, remote }: Ends): Judgement | undefined {
  if (local.mtuBytes === undefined || remote.mtuBytes === undefined) return undefined;
  if (local.mtuBytes === remote.mtuBytes) return fine(`${local.mtuBytes} bytes on both ends`);
  const found = `${local.mtuBytes} bytes on the client, ${remote.mtuBytes} on the server`;
  const [larger, smaller] = [Math.max(local.mtuBytes, remote.mtuBytes), Math.min(local.mtuBytes, remote.mtuBytes)];
  const [name, where] =
    local.mtuBytes === larger ? [local.interface, "on the client"] : [remote.interface, "on the server"];
  const remedy = `ip link set dev ${commandName(name)} mtu ${smaller}  # ${where}; or the larger one on the other end and all the way`;
  return { severity: "warning", found, remedy };
}

function sameVersion({ local, remote }: Ends): Judgement {
  if (local.version === remote.version) return fine(`cnb-load ${local.version} on both ends`);
  return { severity: "notice", found: `cnb-load ${local.version} on the client, ${remote.version} on the server` };
}

function receiveQueues({ remote: { rxQueues, cpus, interface: name } }: Ends): Judgement | undefined {
  if (rxQueues === undefined || name === undefined || name === "lo") return undefined;
  const found = `${rxQueues} on ${name}, with ${cpus} CPUs`;
  if (rxQueues > 1 || cpus === 1) return fine(found);
  return { severity: "notice", found, remedy: `ethtool -L ${commandName(name)} combined ${cpus}` };
}

/** Beside {@link contextChecks}, for a server that answered. */
export const serverChecks: readonly Check<Ends>[] = [
  {
    id: "mtu-match",
    judge: sameMtu,
    why: "Packets that the other end or the way there does not take are lost or come in fragments.",
  },
  { id: "version-match", judge: sameVersion, why: "Two versions may measure in different ways." },
  {
    id: "receive-queues",
    judge: receiveQueues,
    why: "Each queue's packets are received by one CPU: with a single queue that CPU sets the limit, unless RPS spreads them.",
  },
];
