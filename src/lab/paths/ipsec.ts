import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../daemons.js";
import { betweenPods, type Built, type Path } from "../path.js";
import { attachRoutedPods, type Node, type Site } from "../site.js";
import { file, type Need, TCPDUMP } from "../tools.js";
import { verifyEncrypted } from "./encryption.js";

/** What kernel-libipsec calls its device. */
const TUN = "ipsec0";
/** The most that it carries: its buffers have this size, whatever MTU the device is given. */
const TUN_MTU = 1400;
const LIBIPSEC = "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so";

/** Tried rather than guessed: the modules are loaded by asking for a state. */
async function kernelHasEsp({ client, server }: Site): Promise<boolean> {
  const key = `0x${"00".repeat(20)}`;
  const state = `xfrm state add src ${client.address} dst ${server.address} proto esp spi 0x77`;
  return await client.host.ip(`${state} mode tunnel aead rfc4106(gcm(aes)) ${key} 128`, "xfrm state flush").then(
    () => true,
    () => false,
  );
}

function connection({ side, address, podNetwork, peer }: Node): string {
  return [
    "config setup",
    "conn lab",
    ...["keyexchange=ikev2", "authby=secret", "ike=aes128gcm16-prfsha256-modp2048!", "esp=aes128gcm16!"],
    ...[`left=${address}`, `leftsubnet=${podNetwork}`, `right=${peer.address}`, `rightsubnet=${peer.podNetwork}`],
    // The client's side asks, so that the two never cross.
    ...[`auto=${side === "client" ? "start" : "add"}`, "rekey=no", "mobike=no"],
  ]
    .map((line) => (/^con(n|fig) /.test(line) ? line : `  ${line}`))
    .join("\n");
}

function daemonSettings(inKernel: boolean): string {
  const kernel = inKernel ? "kernel-netlink" : "kernel-libipsec kernel-netlink";
  const crypto = "random nonce aes sha1 sha2 hmac kdf gcm gmp openssl";
  return `charon {\n  load = ${crypto} ${kernel} socket-default stroke\n}\n`;
}

/**
 * Each node's daemon with /run and configuration of its own: the folders are the same for both, the mounts are not. Ready once `ipsec
 * statusall` says $1.
 */
const START = `
mount -t tmpfs none /run
for name in ipsec.conf ipsec.secrets strongswan.conf; do mount --bind "$0/$name" "/etc/$name"; done
ipsec start --nofork &
until ipsec statusall 2>/dev/null | grep -q "$1"; do kill -0 $! && sleep 0.05 || exit 1; done
echo ready
wait
`;

async function writeSettings(node: Node, folder: string, inKernel: boolean): Promise<void> {
  const secret = `${node.address} ${node.peer.address} : PSK "the lab's own, for this run's namespaces"`;
  const files = {
    "ipsec.conf": connection(node),
    "ipsec.secrets": secret,
    "strongswan.conf": daemonSettings(inKernel),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
}

async function build(site: Site): Promise<Built> {
  const inKernel = await kernelHasEsp(site);
  // Outer header, UDP (user space always has it), ESP with its padding, and the tag of AES-GCM.
  const room = site.mtu - 100;
  const mtu = inKernel ? room : Math.min(room, TUN_MTU);
  // The server's side first: it waits to be asked.
  for (const node of [site.server, site.client]) {
    const folder = join(site.folder, node.side);
    await mkdir(folder);
    await writeSettings(node, folder, inKernel);
    // strongSwan wants an address of its own in the network that it speaks for.
    await node.host.ip(`address add ${node.podNetwork.replace(/0\/24$/, "1/32")} dev lo`);
    const proof = node.side === "client" ? "INSTALLED, TUNNEL" : "lab:";
    await startDaemon("strongSwan", node.host, ["sh", "-c", START, folder, proof], /^ready$/m);
    if (!inKernel) await node.host.ip(`link set ${TUN} mtu ${mtu}`);
  }
  await attachRoutedPods(site, { mtu, ...(!inKernel && { nextHop: () => `dev ${TUN}` }) });
  return {
    ...betweenPods(site),
    variant: inKernel ? "kernel" : `user space (strongSwan's kernel-libipsec, MTU ${mtu})`,
    verify: (traffic) => verifyEncrypted(site, "udp port 4500 or esp", "ESP", traffic),
  };
}

const libipsec: Need = {
  name: "ESP",
  install: "libcharon-extra-plugins",
  there: () => existsSync("/proc/net/xfrm_stat") || existsSync(LIBIPSEC),
};

export const ipsec: Path = {
  name: "ipsec",
  models: "encryption between nodes by IPsec, ESP with AES-128-GCM, as Cilium offers it",
  builds: "routed pods, and a tunnel between the nodes for the pods' networks, negotiated by strongSwan (IKEv2)",
  differs:
    "one pair of tunnels, no rekeying; where the kernel has no ESP, strongSwan's kernel-libipsec does its work in user space over a TUN device, at a multiple of the cost, always in UDP and with an MTU of 1400 at most",
  needs: [
    file("/usr/sbin/ipsec", "strongswan"),
    file("/usr/lib/ipsec/plugins/libstrongswan-gcm.so", "libstrongswan-standard-plugins"),
    libipsec,
    TCPDUMP,
  ],
  encrypts: true,
  build,
};
