/** The interface of this host: its state and the CPUs that serve it. */
import { formatCpuList, parseCpuList } from "../options/cpu-lists.js";
import { firstLine, wholeNumber, words } from "../result/text.js";
import { type Check, type Judgement, fine } from "./finding.js";
import type { Surroundings } from "./surroundings.js";

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
  const { list, context } = host;
  const { interface: name, cpus, rpsCpus = [] } = context;
  const folder = `/sys/class/net/${name ?? ""}/queues`;
  const queues = list(folder).filter((queue) => /^rx-\d+$/.test(queue));
  // What loopback receives stays on the CPU that sent it.
  if (name === undefined || name === "lo" || queues.length === 0) return undefined;
  const spread = rpsCpus.length > 0;
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
