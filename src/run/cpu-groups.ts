/** CPUs that belong together on this host: those of a NUMA node, or near a network card. */
import { parseCpuList } from "../options/cpu-lists.js";
import { conflictingOption } from "../options/spec.js";
import type { Environment } from "./environment.js";
import type { CpuSupply } from "./placement.js";

type Files = Pick<Environment, "read" | "list">;

/**
 * What an option leaves to place workers on: a list is taken as it is written, a group narrows the allowed CPUs (those of a card's
 * interrupts are left out, if there are others). Throws
 * ERR_INVALID_OPTION where this host has no such group, or this process may use none of its CPUs.
 */
export function supplyOf(
  asked: readonly number[] | string | null,
  allowed: readonly number[],
  option: CpuSupply["option"],
  files: Files,
): Pick<CpuSupply, "wanted" | "allowed"> {
  if (typeof asked !== "string") return { wanted: asked, allowed };
  const name = asked.slice(asked.indexOf(":") + 1);
  const nic = asked.startsWith("nic:");
  const group = nic ? cpusNear(name, files) : cpusOfNode(name, files);
  if (typeof group === "string") throw conflictingOption(option, `${asked}: ${group}`);
  const usable = allowed.filter((cpu) => group.includes(cpu));
  if (usable.length === 0) throw conflictingOption(option, `${asked}: this process may use none of its CPUs`);
  const interrupted = nic ? interruptedCpus(name, files) : new Set();
  const quiet = usable.filter((cpu) => !interrupted.has(cpu));
  return { wanted: null, allowed: quiet.length > 0 ? quiet : usable };
}

/** Or why there are none. */
function cpusOfNode(node: string, { read }: Files): readonly number[] | string {
  const cpus = parseCpuList(read(`/sys/devices/system/node/node${node}/cpulist`)?.trim() ?? "");
  if (cpus !== undefined) return cpus;
  const known = read("/sys/devices/system/node/has_cpu")?.trim() ?? "";
  return `no such NUMA node with CPUs here${known === "" ? "" : `; this host has ${/\D/.test(known) ? "nodes" : "node"} ${known}`}`;
}

/** The CPUs of the card's node. */
function cpusNear(device: string, files: Files): readonly number[] | string {
  const folder = `/sys/class/net/${device}`;
  if (files.read(`${folder}/ifindex`) === undefined) return "no such interface here";
  if (files.list(`${folder}/device`).length === 0) return "a virtual interface, which is near no CPU";
  // -1, or no such file: a machine of one node, or firmware that does not tell.
  const node = files.read(`${folder}/device/numa_node`)?.trim() ?? "-1";
  const all = parseCpuList(files.read("/sys/devices/system/cpu/online")?.trim() ?? "") ?? [];
  return node === "-1" ? all : cpusOfNode(node, files);
}

/** The CPUs that a card's interrupts go to: workers there would be held up by them. */
function interruptedCpus(name: string, { read, list }: Files): Set<number> {
  const device = `/sys/class/net/${name}/device`;
  const own = list(`${device}/msi_irqs`);
  // virtio's interrupts are its parent's.
  const interrupts = own.length > 0 ? own : list(`${device}/../msi_irqs`);
  return new Set(
    interrupts.flatMap((irq) => parseCpuList(read(`/proc/irq/${irq}/effective_affinity_list`)?.trim() ?? "") ?? []),
  );
}

/** Which of its core's threads each CPU is, 0 for the first: workers on different cores do not share one's units. */
export function coreRanks(allowed: readonly number[], { read }: Pick<Files, "read">): (cpu: number) => number {
  const ranks = new Map(
    allowed.map((cpu) => {
      const list = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`)?.trim() ?? "";
      return [cpu, Math.max(0, (parseCpuList(list) ?? []).indexOf(cpu))];
    }),
  );
  return (cpu) => ranks.get(cpu) ?? 0;
}
