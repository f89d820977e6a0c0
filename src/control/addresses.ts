import { BlockList, isIP } from "node:net";

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An address as both ends write it: IPv4 that came in through an IPv6 socket (::ffff:10.0.0.1) is IPv4; a %scope stays. */
export function plainAddress(address: string): string {
  return MAPPED.exec(address)?.[1] ?? address;
}

/** Tells whether a peer may come. `cidrs`: "10.0.0.0/8", "fd00::/8"; empty lets everyone in. */
export function allowList(cidrs: readonly string[]): (address: string) => boolean {
  if (cidrs.length === 0) return () => true;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = "", prefix = ""] = cidr.split("/");
    list.addSubnet(network, Number(prefix), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return (address) => {
    const [bare = ""] = plainAddress(address).split("%");
    return isIP(bare) !== 0 && list.check(bare, isIP(bare) === 6 ? "ipv6" : "ipv4");
  };
}
