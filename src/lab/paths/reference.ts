/** The reference CNI plugins. */
import { join } from "node:path";
import { LabError } from "../lab-error.js";
import { betweenPods, type Built, type Path } from "../path.js";
import { type Node, type Site, WIRE } from "../site.js";
import { cniPlugin } from "../tools.js";
import { cniAdd, hostLocal, hostLocalRouted } from "./cni.js";

type Config = { type: string } & Record<string, unknown>;

/** Both pods; the server's address is the plugin's choice. */
async function addPods(site: Site, configOf: (node: Node) => Config): Promise<string> {
  let serverAddress = "";
  for (const node of site.nodes) serverAddress = await cniAdd(node.host, node.pod, configOf(node));
  return serverAddress;
}

async function routeToPeers({ nodes }: Site): Promise<void> {
  for (const { host, peer } of nodes) await host.ip(`route add ${peer.podNetwork} via ${peer.address}`);
}

const ipamOf = ({ folder }: Site, { side, podNetwork }: Node): object =>
  hostLocalRouted(join(folder, side), podNetwork);

interface Link {
  ifname: string;
  linkinfo?: { info_kind?: string; info_slave_kind?: string; info_data?: { mode?: string } };
}

async function linksOf({ host, pod }: Node): Promise<{ host: Link[]; pod: Link[] }> {
  return { host: (await host.ipJson("link", "show")) as Link[], pod: (await pod.ipJson("link", "show")) as Link[] };
}

/** Checks a node's links after traffic; gives what is to be said of both nodes. */
async function verifyLinks(
  { nodes }: Site,
  traffic: () => Promise<number>,
  check: (links: { host: Link[]; pod: Link[] }, node: Node) => Promise<boolean> | boolean,
  said: string,
): Promise<string[]> {
  const connections = await traffic();
  for (const node of nodes) {
    if (!(await check(await linksOf(node), node))) throw new LabError(`${node.side} node: not found: ${said}`);
  }
  return [`${connections} connections: ${said}`];
}

const isBridged = ({ host }: { host: Link[] }): boolean =>
  host.some(({ linkinfo }) => linkinfo?.info_kind === "veth" && linkinfo.info_slave_kind === "bridge");

export const bridge: Path = {
  name: "bridge",
  models: "the reference plugin bridge: pods on a Linux bridge that routes to the other node",
  builds: "plugin bridge with host-local, called by the CNI protocol, and a route per node",
  differs: "no masquerading between pods, as most clusters have it; no netfilter rules at all",
  needs: [cniPlugin("bridge"), cniPlugin("host-local")],
  build: async (site): Promise<Built> => {
    const serverAddress = await addPods(site, (node) => ({
      ...{ type: "bridge", bridge: "cni0", isGateway: true, mtu: site.mtu, ipam: ipamOf(site, node) },
    }));
    await routeToPeers(site);
    const said = "each pod's veth is a port of a bridge";
    return {
      ...betweenPods(site),
      serverAddress,
      verify: (traffic) => verifyLinks(site, traffic, isBridged, said),
    };
  },
};

export const ptp: Path = {
  name: "ptp",
  models: "the reference plugin ptp: a routed veth per pod, and nothing else",
  builds: "plugin ptp with host-local, called by the CNI protocol, and a route per node",
  differs: "no masquerading; what a routing CNI costs without policies, services and conntrack",
  needs: [cniPlugin("ptp"), cniPlugin("host-local")],
  build: async (site): Promise<Built> => {
    const serverAddress = await addPods(site, (node) => ({ type: "ptp", mtu: site.mtu, ipam: ipamOf(site, node) }));
    await routeToPeers(site);
    const isRouted = async ({ host }: { host: Link[] }, { host: namespace, podAddress }: Node): Promise<boolean> => {
      const veths = host.filter(({ ifname, linkinfo }) => linkinfo?.info_kind === "veth" && ifname !== WIRE);
      const routes = (await namespace.ipJson("route", "get", podAddress)) as { dev?: string }[];
      return veths.some(({ ifname, linkinfo }) => linkinfo?.info_slave_kind === undefined && routes[0]?.dev === ifname);
    };
    return {
      ...betweenPods(site),
      serverAddress,
      verify: (traffic) => verifyLinks(site, traffic, isRouted, "each node routes to its pod over a veth of its own"),
    };
  },
};

export const macvlan: Path = {
  name: "macvlan",
  models:
    "the reference plugin macvlan: the pod's interface is a second address of the card, the host's stack is not crossed",
  builds: "plugin macvlan on the wire with host-local, called by the CNI protocol",
  differs: "nothing but the wire itself, which has no hardware filter of addresses",
  needs: [cniPlugin("macvlan"), cniPlugin("host-local")],
  build: async (site): Promise<Built> => {
    const subnet = "192.168.77.0/24";
    const first = { client: "192.168.77.64", server: "192.168.77.128" };
    const serverAddress = await addPods(site, ({ side }) => ({
      ...{ type: "macvlan", master: WIRE, mode: "bridge", mtu: site.mtu },
      ipam: hostLocal(join(site.folder, side), { subnet, rangeStart: first[side] }),
    }));
    const isMacvlan = ({ pod }: { pod: Link[] }): boolean =>
      pod.some(({ ifname, linkinfo }) => ifname === "eth0" && linkinfo?.info_kind === "macvlan");
    return {
      ...betweenPods(site),
      serverAddress,
      verify: (traffic) => verifyLinks(site, traffic, isMacvlan, "each pod's eth0 is a macvlan of the wire"),
    };
  },
};

const OVERLAY = "overlay";

export const vxlan: Path = {
  name: "vxlan",
  models: "an overlay as flannel's vxlan backend makes it: pods on a bridge, VXLAN between the nodes",
  builds:
    "plugin bridge with host-local, a vxlan device per node with its peer as the only destination, routes over it",
  differs:
    "the peer is configured by hand where flannel's daemon would fill in forwarding entries; pods have 50 bytes less MTU, as with flannel",
  needs: [cniPlugin("bridge"), cniPlugin("host-local")],
  build: async (site): Promise<Built> => {
    const mtu = site.mtu - 50;
    const serverAddress = await addPods(site, (node) => ({
      ...{ type: "bridge", bridge: "cni0", isGateway: true, mtu, ipam: ipamOf(site, node) },
    }));
    for (const { host, address, podNetwork, peer } of site.nodes) {
      const own = podNetwork.replace(/0\/24$/, "0");
      const other = peer.podNetwork.replace(/0\/24$/, "0");
      await host.ip(
        `link add ${OVERLAY} mtu ${mtu} type vxlan id 77 dev ${WIRE} local ${address} remote ${peer.address} dstport 4789`,
        `address add ${own}/32 dev ${OVERLAY}`,
        `link set ${OVERLAY} up`,
        `route add ${other}/32 dev ${OVERLAY} scope link`,
        `route add ${peer.podNetwork} via ${other} dev ${OVERLAY} onlink`,
      );
    }
    return {
      ...betweenPods(site),
      serverAddress,
      verify: async (traffic) => {
        const before = await Promise.all(site.nodes.map(({ host }) => host.sentPackets(OVERLAY)));
        const connections = await traffic();
        const after = await Promise.all(site.nodes.map(({ host }) => host.sentPackets(OVERLAY)));
        const sent = after.map((count, index) => count - (before[index] ?? 0));
        if (sent.some((count) => count < connections))
          throw new LabError(
            `${connections} connections, but the VXLAN devices sent ${sent.join(" and ")} packets only`,
          );
        return [`${connections} connections: the nodes' VXLAN devices sent ${sent.join(" and ")} packets`];
      },
    };
  },
};
