import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../daemons.js";
import { betweenPods, type Built, type Path } from "../path.js";
import { shell } from "../shell.js";
import { attachRoutedPods, type Node, type Site } from "../site.js";
import { findProgram, type Need, program, TCPDUMP } from "../tools.js";
import { verifyEncrypted } from "./encryption.js";

const DEVICE = "wg0";
const PORT = 51820;

/** Tried rather than guessed: the module is loaded by asking for a device. */
async function kernelHasIt({ client }: Site): Promise<boolean> {
  return await client.host.ip(`link add ${DEVICE} type wireguard`, `link delete ${DEVICE}`).then(
    () => true,
    () => false,
  );
}

const eitherVariant: Need = {
  name: "WireGuard",
  install: "wireguard-go",
  // Whether the kernel has it shows when the path is built; then wireguard-go is not needed, but it does no harm.
  there: () => existsSync("/sys/module/wireguard") || findProgram("wireguard-go") !== undefined,
};

interface Keys {
  secret: string;
  open: string;
}

async function makeKeys(): Promise<Keys> {
  const secret = (await shell(["wg", "genkey"])).trim();
  return { secret, open: (await shell(["wg", "pubkey"], { input: `${secret}\n` })).trim() };
}

function configuration({ peer }: Node, own: Keys, other: Keys): string {
  return [
    ...["[Interface]", `PrivateKey = ${own.secret}`, `ListenPort = ${PORT}`],
    ...["[Peer]", `PublicKey = ${other.open}`, `AllowedIPs = ${peer.podNetwork}`, `Endpoint = ${peer.address}:${PORT}`],
  ].join("\n");
}

/** wireguard-go keeps its socket in /run: a file system of its own, as both nodes' devices have one name. */
const USER_SPACE = `
mount -t tmpfs none /run
export WG_PROCESS_FOREGROUND=1 WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD=1
wireguard-go -f ${DEVICE} &
until [ -S /run/wireguard/${DEVICE}.sock ]; do kill -0 $! && sleep 0.02 || exit 1; done
wg setconf ${DEVICE} "$0" && echo ready
wait
`;

async function build(site: Site): Promise<Built> {
  const inKernel = await kernelHasIt(site);
  const mtu = site.mtu - 80;
  const keys = { client: await makeKeys(), server: await makeKeys() };
  for (const node of site.nodes) {
    const file = join(site.folder, `${node.side}.conf`);
    await writeFile(file, `${configuration(node, keys[node.side], keys[node.peer.side])}\n`, { mode: 0o600 });
    if (inKernel) {
      await node.host.ip(`link add ${DEVICE} type wireguard`);
      await node.host.run(["wg", "setconf", DEVICE, file]);
    } else {
      await startDaemon("wireguard-go", node.host, ["sh", "-c", USER_SPACE, file], /^ready$/m);
    }
    await node.host.ip(`link set ${DEVICE} mtu ${mtu} up`);
  }
  await attachRoutedPods(site, { mtu, nextHop: () => `dev ${DEVICE}` });
  return {
    ...betweenPods(site),
    variant: inKernel ? "kernel" : "user space (wireguard-go)",
    verify: (traffic) => verifyEncrypted(site, `udp port ${PORT}`, "WireGuard", traffic),
  };
}

export const wireguard: Path = {
  name: "wireguard",
  models: "encryption between nodes by WireGuard, as Cilium and Calico offer it",
  builds: "routed pods, and a WireGuard device per node as the way to the other node's pods",
  differs:
    "keys and peers are set by hand; where the kernel has no WireGuard, wireguard-go does its work in user space, at a multiple of the cost and on its node's one CPU",
  needs: [program("wg", "wireguard-tools"), eitherVariant, TCPDUMP],
  encrypts: true,
  build,
};
