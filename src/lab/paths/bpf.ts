/** Compiles a program for eBPF, attaches its sections with tc, and reads what they counted. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LabError } from "../lab-error.js";
import { shell } from "../shell.js";
import type { Namespace } from "../namespaces.js";
import { type Node, POD_VETH, WIRE } from "../site.js";
import { BPFTOOL, CLANG, LIBBPF, type Need, TC } from "../tools.js";

export const BPF_NEEDS: readonly Need[] = [CLANG, LIBBPF, BPFTOOL, TC];

/** The sources are part of the package; they lie at the same distance from `src/lab/paths` and `dist/lab/paths`. */
const SOURCES = fileURLToPath(new URL("../../../src/lab/bpf/", import.meta.url));

/** Order of `enum counter` in track.h. */
const COUNTERS = ["fromPod", "fromWire", "toPod", "toWire", "created"] as const;
export type Counters = Record<(typeof COUNTERS)[number], number>;

/** A section of the program and where it is attached. */
export interface Hook {
  section: string;
  device: string;
  direction: "ingress" | "egress";
}

/** A MAC address as an initialiser in C. */
const macInC = (mac: string): string =>
  `{${mac
    .split(":")
    .map((byte) => `0x${byte}`)
    .join(",")}}`;
const addressInC = (address: string): string =>
  `0x${address
    .split(".")
    .map((byte) => Number(byte).toString(16).padStart(2, "0"))
    .join("")}u`;

/** The object file for one node, whose interfaces and addresses are constants in it. */
async function compile(name: string, node: Node, folder: string): Promise<string> {
  const object = join(folder, `${name}-${node.side}.o`);
  const machine = (await shell(["uname", "-m"])).trim();
  const constants = {
    WIRE: String(await node.host.index(WIRE)),
    POD: String(await node.host.index(POD_VETH)),
    POD_ADDRESS: addressInC(node.podAddress),
    POD_MAC: macInC(node.podMac),
    VETH_MAC: macInC(node.vethMac),
  };
  await shell([
    ...["clang", "-O2", "-g", "-Wall", "-Werror", "-target", "bpf"],
    // Where Debian keeps <asm/types.h>; elsewhere the folder does not exist, which is no fault.
    `-I/usr/include/${machine}-linux-gnu`,
    ...Object.entries(constants).map(([constant, value]) => `-D${constant}=${value}`),
    ...["-c", join(SOURCES, `${name}.bpf.c`), "-o", object],
  ]);
  return object;
}

export async function attach(name: string, node: Node, folder: string, hooks: readonly Hook[]): Promise<void> {
  const object = await compile(name, node, folder);
  for (const device of new Set(hooks.map((hook) => hook.device))) {
    await shell(["tc", "-n", node.host.name, "qdisc", "add", "dev", device, "clsact"]);
  }
  for (const { section, device, direction } of hooks) {
    const filter = ["filter", "add", "dev", device, direction, "bpf", "direct-action", "obj", object, "sec", section];
    await shell(["tc", "-n", node.host.name, ...filter]);
  }
}

interface Filter {
  options?: { prog?: { id: number } };
}

async function programOf(host: Namespace, { device, direction }: Hook): Promise<number> {
  const text = await shell(["tc", "-json", "-n", host.name, "filter", "show", "dev", device, direction]);
  const id = (JSON.parse(text) as Filter[]).find(({ options }) => options?.prog !== undefined)?.options?.prog?.id;
  if (id === undefined) throw new LabError(`no eBPF program on ${device} ${direction} of ${host.name}`);
  return id;
}

interface Entry {
  formatted?: { key: number; values: { value: number }[] };
}

/** What the programs of a node counted so far, all CPUs and hooks together. */
export async function countersOf(host: Namespace, hooks: readonly Hook[]): Promise<Counters> {
  const totals: Counters = { fromPod: 0, fromWire: 0, toPod: 0, toWire: 0, created: 0 };
  for (const hook of hooks) {
    const id = await programOf(host, hook);
    const program = JSON.parse(await shell(["bpftool", "-j", "prog", "show", "id", String(id)])) as {
      map_ids?: number[];
    };
    for (const map of program.map_ids ?? []) {
      const { name } = JSON.parse(await shell(["bpftool", "-j", "map", "show", "id", String(map)])) as {
        name?: string;
      };
      if (name !== "counters") continue;
      const entries = JSON.parse(await shell(["bpftool", "-j", "map", "dump", "id", String(map)])) as Entry[];
      for (const { formatted } of entries) {
        const counter = COUNTERS[formatted?.key ?? -1];
        if (counter !== undefined) totals[counter] += formatted?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
      }
    }
  }
  return totals;
}
