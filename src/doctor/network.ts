/** The interface: what its driver takes over, which CPUs serve it, what its queue does to packets. */
import { formatCpuList, parseCpuList } from "../options/cpu-lists.js";
import { firstLine, wholeNumber, words } from "../result/text.js";
import { type Check, type Judgement, fine } from "./finding.js";
import type { Surroundings } from "./surroundings.js";

/** As `ethtool -k` names them, with the short names that `ethtool -K` takes. */
const OFFLOADS: Readonly<Record<string, string>> = {
  "rx-checksumming": "rx",
  "tx-checksumming": "tx",
  "scatter-gather": "sg",
  "tcp-segmentation-offload": "tso",
  "generic-segmentation-offload": "gso",
  "generic-receive-offload": "gro",
};
/** Queueing disciplines that hold packets back on purpose. */
const SHAPERS = ["tbf", "htb", "hfsc", "cbq", "cake", "netem", "ets", "drr", "qfq"];

const nameOf = ({ context }: Surroundings): string | undefined => context.interface;

/** Whether there is no hardware behind an interface, nor what a hypervisor shows as such. */
const isVirtual = ({ link }: Surroundings, name: string): boolean =>
  link(`/sys/class/net/${name}/device`) === undefined;

function operation({ read, context: { interface: name } }: Surroundings): Judgement | undefined {
  const state = name === undefined ? undefined : firstLine(read(`/sys/class/net/${name}/operstate`));
  if (name === undefined || state === undefined) return undefined;
  // Loopback and tunnels never say more than "unknown".
  if (state === "up" || state === "unknown") return fine(`${name} is ${state === "up" ? "up" : "usable"}`);
  return { severity: "severe", found: `${name} is ${state}`, remedy: `ip link set dev ${name} up` };
}

function offloads(host: Surroundings): Judgement | undefined {
  const name = nameOf(host);
  if (name === undefined) return undefined;
  if (host.ethtool === undefined) {
    return { severity: "unknown", found: "ethtool could not be run", remedy: `ethtool -k ${name}` };
  }
  const settings = [...host.ethtool.matchAll(/^([a-z-]+): (on|off)( \[fixed\])?/gm)];
  // Between virtual interfaces packets stay as large as they were sent: there is nothing to join.
  const needless = isVirtual(host, name) ? "generic-receive-offload" : "";
  const known = settings.filter(([, feature = ""]) => Object.hasOwn(OFFLOADS, feature) && feature !== needless);
  if (known.length === 0) return { severity: "unknown", found: "ethtool does not tell", remedy: `ethtool -k ${name}` };
  const off = known.filter(([, , setting]) => setting === "off");
  if (off.length === 0) return fine(`${known.map(([, feature = ""]) => OFFLOADS[feature]).join(", ")} are on`);
  const found = `off: ${off.map(([, feature, , fixed = ""]) => `${feature}${fixed}`).join(", ")}`;
  const changeable = off.filter(([, , , fixed]) => fixed === undefined);
  if (changeable.length === 0) return { severity: "notice", found };
  const settingsOn = changeable.map(([, feature = ""]) => `${OFFLOADS[feature]} on`).join(" ");
  return { severity: "warning", found, remedy: `ethtool -K ${name} ${settingsOn}` };
}

function queueing(host: Surroundings): Judgement | undefined {
  const name = nameOf(host);
  if (name === undefined) return undefined;
  if (host.tc === undefined) {
    return { severity: "unknown", found: "tc could not be run", remedy: `tc qdisc show dev ${name}` };
  }
  const kinds = [...host.tc.matchAll(/^qdisc (\S+)/gm)].map(([, kind = ""]) => kind);
  if (kinds.length === 0)
    return { severity: "unknown", found: "tc does not tell", remedy: `tc qdisc show dev ${name}` };
  const shapers = kinds.filter((kind) => SHAPERS.includes(kind));
  if (shapers.length === 0) return fine([...new Set(kinds)].join(", "));
  const found = `${[...new Set(shapers)].join(", ")} on ${name}`;
  return { severity: "warning", found, remedy: `tc qdisc del dev ${name} root  # unless it is what you measure` };
}

/** Interrupts of the interface's device by number, with the CPUs that each may go to. */
function interrupts({ read, list, link, context }: Surroundings): Map<number, number[]> {
  const name = context.interface ?? "";
  const folder = `/sys/class/net/${name}/device`;
  const numbers = new Set(list(`${folder}/msi_irqs`).flatMap((irq) => wholeNumber(irq) ?? []));
  // Drivers name their interrupts after the interface ("eth0-TxRx-0") or after the device ("virtio0-input.0").
  const owners = [name, link(folder) ?? name];
  for (const line of read("/proc/interrupts")?.split("\n") ?? []) {
    const columns = words(line);
    const irq = wholeNumber(columns[0]?.replace(/:$/, ""));
    const action = columns.at(-1) ?? "";
    const mine = owners.some((owner) => action.startsWith(owner) && !/^[\w]/.test(action.slice(owner.length)));
    if (irq !== undefined && mine && !action.endsWith("-config")) numbers.add(irq);
  }
  const cpusOf = (irq: number): number[] => {
    const effective = firstLine(read(`/proc/irq/${irq}/effective_affinity_list`));
    return parseCpuList(effective ?? firstLine(read(`/proc/irq/${irq}/smp_affinity_list`)) ?? "") ?? [];
  };
  return new Map([...numbers].map((irq) => [irq, cpusOf(irq)]));
}

function receiving(host: Surroundings): Judgement | undefined {
  const { read, list, context } = host;
  const { interface: name, cpus } = context;
  const folder = `/sys/class/net/${name ?? ""}/queues`;
  const queues = list(folder).filter((queue) => /^rx-\d+$/.test(queue));
  // What loopback receives stays on the CPU that sent it.
  if (name === undefined || name === "lo" || queues.length === 0) return undefined;
  const spread = queues.some((queue) => /[1-9a-f]/.test(firstLine(read(`${folder}/${queue}/rps_cpus`)) ?? ""));
  const serving = [...new Set([...interrupts(host).values()].flat())].toSorted((a, b) => a - b);
  const where = serving.length === 0 ? "interrupts unknown" : `interrupts on CPU ${formatCpuList(serving)}`;
  const found = `${queues.length} receive ${queues.length === 1 ? "queue" : "queues"}, ${where}, RPS ${spread ? "on" : "off"}`;
  if (spread || cpus === 1) return fine(found);
  const rps = `echo ${maskOf(cpus)} > ${folder}/rx-0/rps_cpus`;
  if (queues.length === 1)
    return { severity: "notice", found, remedy: `ethtool -L ${name} combined ${cpus}  # or ${rps}` };
  if (serving.length !== 1) return fine(found);
  return { severity: "warning", found, remedy: "echo CPU > /proc/irq/IRQ/smp_affinity_list  # another CPU for each" };
}

/** The first CPUs as a mask, as rps_cpus takes it: groups of 32 bits. */
function maskOf(cpus: number): string {
  const digits = ((1n << BigInt(Math.min(cpus, 1024))) - 1n).toString(16);
  return digits.replace(/(?!^)(?=(?:[0-9a-f]{8})+$)/g, ",");
}

function interruptBalancing({ read, list }: Surroundings): Judgement | undefined {
  const processes = list("/proc").filter((entry) => /^\d+$/.test(entry));
  if (processes.length === 0) return undefined;
  const running = processes.some((pid) => firstLine(read(`/proc/${pid}/comm`)) === "irqbalance");
  if (!running) return fine("irqbalance is not running, as far as can be seen from here");
  return { severity: "notice", found: "irqbalance is running", remedy: "systemctl stop irqbalance" };
}

function zeroCopy(host: Surroundings): Judgement | undefined {
  const name = nameOf(host);
  if (name === undefined) return undefined;
  if (name === "lo") return { severity: "notice", found: "loopback copies all the same" };
  if (isVirtual(host, name)) {
    return { severity: "notice", found: `${name} is a virtual interface; veth and others copy all the same` };
  }
  return fine(`${name} has hardware behind it, which may do without the copy`);
}

export const networkChecks: readonly Check<Surroundings>[] = [
  { id: "operstate", judge: operation, why: "An interface that is down carries nothing." },
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
  {
    id: "receive-cpus",
    judge: receiving,
    why: "Each queue's packets are received by one CPU: a single one sets the limit, and a worker pinned to it shares it.",
  },
  {
    id: "irq-balance",
    judge: interruptBalancing,
    why: "It moves interrupts to other CPUs in the middle of a run, onto those of pinned workers too.",
  },
  {
    id: "zero-copy",
    judge: zeroCopy,
    why: "Where the kernel copies after all, --zerocopy msg only adds work.",
  },
];
