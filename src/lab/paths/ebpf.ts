/** eBPF at tc: the same work per packet in each path, and three ways for the packet to go on. */
import { LabError } from "../lab-error.js";
import { betweenPods, type Built, type Path } from "../path.js";
import { attachRoutedPods, type Node, POD_VETH, type Site, WIRE } from "../site.js";
import { CONNTRACK, IPTABLES } from "../tools.js";
import { attach, BPF_NEEDS, type Counters, countersOf, type Hook } from "./bpf.js";
import { forgetFlows, trackedFlows } from "./netfilter.js";

const FROM_POD: Hook = { section: "tc/from-pod", device: POD_VETH, direction: "ingress" };
const TO_POD: Hook = { section: "tc/to-pod", device: POD_VETH, direction: "egress" };
const FROM_WIRE: Hook = { section: "tc/from-wire", device: WIRE, direction: "ingress" };

/** Packets of TCP that a node's stack routed: Ip.ForwDatagrams of /proc/net/snmp. */
async function forwarded({ host }: Node): Promise<number> {
  const [names = "", values = ""] = (await host.run(["grep", "^Ip:", "/proc/net/snmp"])).split("\n");
  return Number(values.split(" ")[names.split(" ").indexOf("ForwDatagrams")]);
}

interface Seen {
  counters: Counters;
  forwarded: number;
}

async function look(node: Node, hooks: readonly Hook[]): Promise<Seen> {
  return { counters: await countersOf(node.host, hooks), forwarded: await forwarded(node) };
}

/** Every node's counters before and after traffic, and whether its stack routed the packets itself. */
async function verifyHooks(
  { nodes }: Site,
  hooks: readonly Hook[],
  incoming: "fromWire" | "toPod",
  routed: boolean,
  traffic: () => Promise<number>,
): Promise<string[]> {
  const before = await Promise.all(nodes.map((node) => look(node, hooks)));
  const connections = await traffic();
  const seen: string[] = [];
  for (const [index, node] of nodes.entries()) {
    const after = await look(node, hooks);
    const first = before[index] ?? after;
    const grown = (name: keyof Counters): number => after.counters[name] - first.counters[name];
    const byStack = after.forwarded - first.forwarded;
    const said = `the programs saw ${grown("fromPod")} packets from the pod and ${grown(incoming)} for it, and ${grown("created")} new flows; the host's stack forwarded ${byStack} packets`;
    const skipped = byStack < connections;
    if (
      grown("fromPod") < connections ||
      grown(incoming) < connections ||
      grown("created") < connections ||
      routed === skipped
    )
      throw new LabError(`${node.side} node: the path is not in force: of ${connections} connections ${said}`);
    seen.push(`${node.side} node, ${connections} connections: ${said}`);
  }
  return seen;
}

async function buildLegacy(site: Site): Promise<Built> {
  await attachRoutedPods(site);
  const hooks = [FROM_POD, TO_POD];
  for (const node of site.nodes) {
    await attach("legacy", node, site.folder, hooks);
    const rules = ["*filter", "-A FORWARD -m conntrack --ctstate INVALID -j DROP", "COMMIT"];
    await node.host.run(["iptables-restore"], { input: `${rules.join("\n")}\n` });
  }
  return {
    ...betweenPods(site),
    verify: async (traffic) => {
      const said = await verifyHooks(site, hooks, "toPod", true, traffic);
      const tracked = await Promise.all(site.nodes.map(({ host }) => trackedFlows(host)));
      if (tracked.includes(0)) throw new LabError("the host's connection tracking knows no flow of the pods");
      return [...said, `conntrack -L lists ${tracked.join(" and ")} flows`];
    },
    reset: async () => {
      for (const { host } of site.nodes) await forgetFlows(host);
    },
  };
}

async function buildRedirecting(site: Site, program: string): Promise<Built> {
  await attachRoutedPods(site);
  const hooks = [FROM_POD, FROM_WIRE];
  for (const node of site.nodes) await attach(program, node, site.folder, hooks);
  return {
    ...betweenPods(site),
    verify: (traffic) => verifyHooks(site, hooks, "fromWire", false, traffic),
  };
}

const perPacket =
  "every program parses the packet, looks its flow up in a hash table and counts it, one increment per packet being the price of the proof";

export const ebpfLegacy: Path = {
  name: "ebpf-legacy",
  models: "Cilium with legacy host routing: eBPF at tc on both sides of the pod, the host's stack still crossed",
  builds: `programs at tc ingress and egress of the pod's veth, then the kernel's routing, and netfilter with connection tracking; ${perPacket}`,
  differs:
    "Cilium's own rules of iptables are more; its programs do more per packet (services, policies, identities) than these",
  needs: [...BPF_NEEDS, IPTABLES, CONNTRACK],
  build: buildLegacy,
};

export const ebpfHostRouting: Path = {
  name: "ebpf-host-routing",
  models: "Cilium with eBPF host routing: bpf_redirect_neigh out, bpf_redirect_peer in, the host's stack skipped",
  builds: `programs at tc ingress of the pod's veth and of the wire; ${perPacket}`,
  differs:
    "one pod per node, known at compile time, where Cilium looks endpoints up in a map; TTL is left as it is; less work per packet than Cilium's programs do",
  needs: BPF_NEEDS,
  build: (site) => buildRedirecting(site, "host-routing"),
};

export const ebpfExtraVeth: Path = {
  name: "ebpf-extra-veth",
  models: "Calico's eBPF mode: the route by bpf_fib_lookup, then through the pod's veth rather than past it",
  builds: `programs at tc ingress of the pod's veth and of the wire that look up route and neighbour and bpf_redirect; one more veth crossing and backlog hop on the way in; ${perPacket}`,
  differs: "no pair of veths for host traffic as Calico has it; no policies; TTL is left as it is",
  needs: BPF_NEEDS,
  build: (site) => buildRedirecting(site, "extra-veth"),
};
