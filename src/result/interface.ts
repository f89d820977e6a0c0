/** The network interface behind an address, from os.networkInterfaces() and /sys/class/net. */
import type { NetworkInterfaceInfo } from "node:os";
import { compact } from "./compact.js";
import type { HostContext } from "./model.js";
import { firstLine, type ReadText, wholeNumber } from "./text.js";

export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Address without scope; an IPv4 address that came in IPv6 clothes ("::ffff:10.0.0.1") without them. */
function plainAddress(address: string): string {
  return address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Name of the interface that owns a local address. A scope ("fe80::1%eth0") tells by itself. */
export function interfaceOf(localAddress: string, interfaces: Interfaces): string | undefined {
  const scope = /%(.+)$/.exec(localAddress)?.[1];
  if (scope !== undefined && Object.hasOwn(interfaces, scope)) return scope;
  const wanted = plainAddress(localAddress);
  // All of 127.0.0.0/8 is the loopback's, though the interface lists 127.0.0.1 alone.
  const isLoopback = wanted.startsWith("127.");
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const { address, internal, family } of addresses ?? []) {
      const owns = isLoopback ? internal && family === "IPv4" : plainAddress(address) === wanted;
      // An alias ("eth0:1") is an address of eth0, not an interface.
      if (owns) return name.replace(/:.*$/, "");
    }
  }
  return undefined;
}

/** /sys/class/net/NAME/speed: megabits per second; -1, 0 or 2^32-1 where the driver does not know. */
export function parseSpeed(text: string | undefined): number | undefined {
  const megabits = wholeNumber(text);
  return megabits === undefined || megabits === 0 || megabits >= 0xffffffff ? undefined : megabits * 1e6;
}

/** Numbers of receive and transmit queues from the names in /sys/class/net/NAME/queues. */
export function countQueues(names: readonly string[]): { rxQueues?: number; txQueues?: number } {
  const count = (pattern: RegExp): number | undefined => names.filter((name) => pattern.test(name)).length || undefined;
  return compact({ rxQueues: count(/^rx-\d+$/), txQueues: count(/^tx-\d+$/) });
}

/** CPUs that an interface's receive queues hand packets to: masks of hexadecimal digits, in words of 32 CPUs. Undefined where no queue tells. */
export function readRpsCpus(
  read: ReadText,
  list: (folder: string) => readonly string[],
  folder: string,
): number[] | undefined {
  const queues = list(`${folder}/queues`).filter((name) => /^rx-\d+$/.test(name));
  const masks = queues.flatMap((queue) => {
    const mask = firstLine(read(`${folder}/queues/${queue}/rps_cpus`))?.replaceAll(",", "") ?? "";
    return /^[0-9a-f]+$/i.test(mask) ? [BigInt(`0x${mask}`)] : [];
  });
  if (masks.length === 0) return undefined;
  const bits = masks.reduce((all, mask) => all | mask).toString(2);
  return Array.from(bits, (_, cpu) => cpu).filter((cpu) => bits.at(-1 - cpu) === "1");
}

/** Receive-side settings that sysfs shows to everybody. TSO, GSO, GRO and checksum flags are the SIOCETHTOOL ioctl's: the addon asks for them. */
export function readOffloads(read: ReadText, folder: string): HostContext["offloads"] {
  const threaded = firstLine(read(`${folder}/threaded`));
  const offloads = compact({
    groFlushTimeoutNs: wholeNumber(read(`${folder}/gro_flush_timeout`)),
    napiDeferHardIrqs: wholeNumber(read(`${folder}/napi_defer_hard_irqs`)),
    threadedNapi: threaded === "0" || threaded === "1" ? threaded === "1" : undefined,
  });
  return Object.keys(offloads).length > 0 ? offloads : undefined;
}
