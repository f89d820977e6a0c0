/** What netfilter counted. */
import type { Namespace } from "../namespaces.js";

/** Flows between pods that connection tracking knows. */
export async function trackedFlows(host: Namespace): Promise<number> {
  const listed = await host.run(["conntrack", "-L", "-p", "tcp", "-d", "10.77.0.0/16"]);
  return listed.split("\n").filter((line) => line.includes("src=")).length;
}

/** Empties connection tracking: entries of closed connections stay for two minutes, and no run shall find those of the one before. */
export async function forgetFlows(host: Namespace): Promise<void> {
  await host.run(["conntrack", "-F"]);
}

/** Packets that met the rules of a chain whose line holds `mark`. */
export async function packetsOf(host: Namespace, table: string, chain: string, mark: string): Promise<number> {
  const listed = await host.run(["iptables", "-w", "-t", table, "-nvxL", chain]);
  const lines = listed
    .split("\n")
    .slice(2)
    .filter((line) => line.includes(mark));
  return lines.reduce((sum, line) => sum + (Number(line.trim().split(/\s+/)[0]) || 0), 0);
}
