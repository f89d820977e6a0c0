/** What every path begins with: two nodes joined by a wire, and a pod's namespace on each. */
import type { Namespace, Namespaces } from "./namespaces.js";
import type { Cpus } from "./placement.js";

export const WIRE = "wire";
/** The node's end of a pod's veth where the lab makes it itself. */
export const POD_VETH = "pod";

/** One of the two hosts of the lab. */
export interface Node {
  readonly side: "client" | "server";
  readonly host: Namespace;
  readonly pod: Namespace;
  /** Of the wire. */
  readonly address: string;
  readonly podAddress: string;
  /** All pods of this node. */
  readonly podNetwork: string;
  readonly podMac: string;
  readonly vethMac: string;
  /** The other node. */
  readonly peer: Omit<Node, "peer">;
}

export interface Sizes {
  mtu: number;
  services: number;
  policies: number;
}

export interface Site extends Sizes {
  readonly client: Node;
  readonly server: Node;
  readonly nodes: readonly [Node, Node];
  /** A private folder that goes with the lab. */
  readonly folder: string;
}

function plan(side: Node["side"], number: number, host: Namespace, pod: Namespace): Omit<Node, "peer"> {
  return {
    ...{ side, host, pod, address: `192.168.77.${number}` },
    ...{ podAddress: `10.77.${number}.2`, podNetwork: `10.77.${number}.0/24` },
    ...{ podMac: `02:77:00:00:0${number}:02`, vethMac: `02:77:00:00:0${number}:01` },
  };
}

/** The namespaces and the wire between the nodes; pods are not attached yet. */
export async function createSite(
  namespaces: Namespaces,
  path: string,
  { client: clientCpu, server: serverCpu }: Cpus,
  sizes: Sizes,
  folder: string,
): Promise<Site> {
  const make = (role: string, cpu: number | undefined): Promise<Namespace> => namespaces.create(`${path}.${role}`, cpu);
  const one = plan("client", 1, await make("client-node", clientCpu), await make("client-pod", clientCpu));
  const other = plan("server", 2, await make("server-node", serverCpu), await make("server-pod", serverCpu));
  const [client, server] = [
    { ...one, peer: other },
    { ...other, peer: one },
  ];
  const ends = `${WIRE} netns ${client.host.name} mtu ${sizes.mtu} type veth peer name ${WIRE} netns ${server.host.name} mtu ${sizes.mtu}`;
  await client.host.ip(`link add ${ends}`);
  for (const { host, address } of [client, server]) {
    await host.ip(`address add ${address}/24 dev ${WIRE}`, `link set ${WIRE} up`);
    await host.sysctl({ "net.ipv4.ip_forward": 1 });
    await steer(host, WIRE);
  }
  return { client, server, nodes: [client, server], folder, ...sizes };
}

/**
 * A veth hands a packet to its peer on the sender's CPU. Receive packet steering moves what arrives over the wire to the receiving
 * node's CPU, as an interrupt of its own card would.
 */
async function steer(host: Namespace, device: string): Promise<void> {
  if (host.cpu === undefined) return;
  const file = `/sys/class/net/${device}/queues/rx-0/rps_cpus`;
  await host.run(["sh", "-c", `echo ${cpuMask(host.cpu)} > ${file}`]);
}

/** As the kernel reads it: hexadecimal, in words of 32 CPUs. */
export function cpuMask(cpu: number): string {
  const hex = (1n << BigInt(cpu)).toString(16);
  return hex.replace(/(?<=.)(?=(?:.{8})+$)/g, ",");
}

/** A pod behind a veth, routed: /32 addresses, a gateway that is a neighbour known for good, and a route to the other node's pods. */
export async function attachRoutedPods(
  { nodes, mtu: wireMtu }: Site,
  {
    mtu = wireMtu,
    nextHop = (node: Node): string => `via ${node.peer.address}`,
  }: { mtu?: number; nextHop?: (node: Node) => string } = {},
): Promise<void> {
  const gateway = "169.254.1.1";
  for (const node of nodes) {
    const { host, pod, podMac, vethMac, podAddress, peer } = node;
    const ends = [
      `eth0 netns ${pod.name} mtu ${mtu} address ${podMac}`,
      `type veth peer name ${POD_VETH} netns ${host.name} mtu ${mtu} address ${vethMac}`,
    ];
    await host.ip(`link add ${ends.join(" ")}`);
    await pod.ip(
      `address add ${podAddress}/32 dev eth0`,
      "link set eth0 up",
      `route add ${gateway} dev eth0 scope link`,
      `route add default via ${gateway} dev eth0`,
      `neighbour add ${gateway} lladdr ${vethMac} dev eth0 nud permanent`,
    );
    await host.ip(
      `link set ${POD_VETH} up`,
      `route add ${podAddress}/32 dev ${POD_VETH}`,
      `neighbour add ${podAddress} lladdr ${podMac} dev ${POD_VETH} nud permanent`,
      `route add ${peer.podNetwork} ${nextHop(node)}`,
    );
  }
}
