/** What this host is and how it is set up, as far as everybody may read it: no root, no child process. */
import { readdirSync, readlinkSync } from "node:fs";
import * as os from "node:os";
import { basename } from "node:path";
import { readCgroupLimits } from "./cgroup.js";
import { compact } from "./compact.js";
import { countQueues, interfaceOf, type Interfaces, parseSpeed, readOffloads, readRpsCpus } from "./interface.js";
import type { HostContext } from "./model.js";
import { firstLine, type ReadText, readText, wholeNumber, words } from "./text.js";
import { packageVersion } from "./version.js";

/** Where the context is read from; tests put odd contents here. What does not exist reads as undefined or empty. */
export interface HostSources {
  read: ReadText;
  list: (folder: string) => string[];
  /** Last part of a symbolic link's target. */
  link: (path: string) => string | undefined;
  interfaces: () => Interfaces;
}

const thisHost: HostSources = {
  read: readText,
  list(folder) {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  link(path) {
    try {
      return basename(readlinkSync(path));
    } catch {
      return undefined;
    }
  },
  interfaces: () => os.networkInterfaces(),
};

/** arm64 kernels name no model, only numbers (Arm's "Main ID Register"); these are the server parts in wide use. */
const ARM_PARTS: Readonly<Record<string, string>> = {
  "0x41/0xd03": "Arm Cortex-A53",
  "0x41/0xd08": "Arm Cortex-A72",
  "0x41/0xd0b": "Arm Cortex-A76",
  "0x41/0xd0c": "Arm Neoverse N1",
  "0x41/0xd40": "Arm Neoverse V1",
  "0x41/0xd49": "Arm Neoverse N2",
  "0x41/0xd4f": "Arm Neoverse V2",
  "0xc0/0xac3": "Ampere AmpereOne",
};

/** CPU model from /proc/cpuinfo, whose fields differ by architecture; failing that the board's name from the device tree. */
export function parseCpuModel(cpuinfo: string | undefined, deviceTreeModel?: string): string | undefined {
  const fields = new Map<string, string>();
  for (const line of cpuinfo?.split("\n") ?? []) {
    const [name = "", value] = line.split(/:(.*)/);
    // Lists repeat per CPU: the first one speaks for all.
    if (value !== undefined && !fields.has(name.trim())) fields.set(name.trim(), value);
  }
  for (const name of ["model name", "cpu model", "cpu", "uarch"]) {
    const model = firstLine(fields.get(name));
    if (model !== undefined) return model;
  }
  const implementer = firstLine(fields.get("CPU implementer"));
  const part = firstLine(fields.get("CPU part"));
  if (implementer === undefined || part === undefined) return firstLine(deviceTreeModel);
  return (
    ARM_PARTS[`${implementer}/${part}`] ??
    firstLine(deviceTreeModel) ??
    `Arm implementer ${implementer} part ${part}`.slice(0, 256)
  );
}

/** How many CPUs a list like "0-3,8" names; undefined when it is no such list. */
export function countCpuList(text: string | undefined): number | undefined {
  const list = firstLine(text);
  if (list === undefined) return undefined;
  let total = 0;
  for (const range of list.split(",")) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    const from = wholeNumber(first);
    const to = wholeNumber(last ?? first);
    if (from === undefined || to === undefined || to < from) return undefined;
    total += to - from + 1;
  }
  return Number.isSafeInteger(total) ? total : undefined;
}

function readGovernor({ read, list }: HostSources): string | undefined {
  const folder = "/sys/devices/system/cpu/cpufreq";
  const governors = list(folder)
    .filter((name) => name.startsWith("policy"))
    .flatMap((policy) => firstLine(read(`${folder}/${policy}/scaling_governor`)) ?? []);
  return firstLine([...new Set(governors)].sort().join(","));
}

function interfaceContext(sources: HostSources, localAddress: string | undefined) {
  const name = localAddress === undefined ? undefined : interfaceOf(localAddress, sources.interfaces());
  if (name === undefined) return {};
  const folder = `/sys/class/net/${name}`;
  return {
    interface: name,
    mtuBytes: wholeNumber(sources.read(`${folder}/mtu`)),
    driver: sources.link(`${folder}/device/driver`),
    speedBitsPerSecond: parseSpeed(sources.read(`${folder}/speed`)),
    ...countQueues(sources.list(`${folder}/queues`)),
    rpsCpus: readRpsCpus(sources.read, sources.list, folder),
    offloads: readOffloads(sources.read, folder),
  };
}

/**
 * The host as it is now. `localAddress` is this host's end of the control connection and leads to the interface; without it, or where
 * it belongs to none, the interface's properties are absent. Synchronous: some thirty small files of /proc and /sys, a few
 * milliseconds.
 */
export function readHostContext(localAddress?: string, sources: HostSources = thisHost): HostContext {
  const { read } = sources;
  const available = words(firstLine(read("/proc/sys/net/ipv4/tcp_available_congestion_control")));
  return compact({
    hostname: os.hostname(),
    kernel: `${os.type()} ${os.release()}`,
    arch: process.arch,
    cpuModel: parseCpuModel(read("/proc/cpuinfo"), read("/proc/device-tree/model")),
    cpus: countCpuList(read("/sys/devices/system/cpu/online")) ?? os.cpus().length,
    governor: readGovernor(sources),
    congestionControl: firstLine(read("/proc/sys/net/ipv4/tcp_congestion_control")),
    availableCongestionControls: available.length > 0 ? available : undefined,
    ...interfaceContext(sources, localAddress),
    clocksource: firstLine(read("/sys/devices/system/clocksource/clocksource0/current_clocksource")),
    bootId: firstLine(read("/proc/sys/kernel/random/boot_id")),
    container: readCgroupLimits(read),
    nodeVersion: process.version,
    version: packageVersion(),
  });
}

/** What only ioctl(2) and rtnetlink(7) tell of an interface. */
export type LinkFacts = Pick<HostContext, "qdisc"> &
  Pick<NonNullable<HostContext["offloads"]>, "tso" | "gso" | "gro" | "lro" | "rxChecksum" | "txChecksum">;

/** The host with what `linkFacts` says of its interface, where it has one. */
export function withLinkFacts(context: HostContext, linkFacts: (name: string) => LinkFacts): HostContext {
  if (context.interface === undefined) return context;
  const { qdisc, ...features } = linkFacts(context.interface);
  const offloads = { ...context.offloads, ...features };
  return compact({ ...context, qdisc, offloads: Object.keys(offloads).length > 0 ? offloads : undefined });
}

/** True when both accounts come from one running kernel: one machine, whatever containers or namespaces lie between. */
export function isSameHost(one: HostContext, other: HostContext): boolean {
  return one.bootId !== undefined && one.bootId === other.bootId;
}
