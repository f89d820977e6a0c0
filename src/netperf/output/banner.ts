import type { Settings } from "../client/settings.js";

export interface BannerEnds {
  /** Names of the two ends, their numeric addresses, and whether the addresses are IPv6. */
  source: string;
  sourceAddress: string;
  destination: string;
  destinationAddress: string;
  ipv6: boolean;
}

/** netperf has room for seven characters of an address and prints none of a longer one; programs that read the line expect it so. */
function shortAddress(address: string): string {
  return address.length > 7 ? "" : address;
}

/** The first line: what is measured between whom, and how. */
export function banner(settings: Settings, ends: BannerEnds): string {
  const { confidence, local, remote, title } = settings;
  const af = ends.ipv6 ? "AF_INET6" : "AF_INET";
  const end = (name: string, address: string, port: number): string =>
    `${name} (${shortAddress(address)}) port ${port} ${af}`;
  const parts: string[] = [];
  if (confidence.asked) {
    const only = confidence.resultOnly ? "on result only" : "";
    parts.push(`+/-${(confidence.widthPct / 2).toFixed(3)}% @ ${confidence.level}% conf. ${only}`);
  }
  if (settings.noDelay) parts.push("nodelay");
  if (settings.copyAvoidance) parts.push("copy avoidance");
  if (!settings.control) parts.push("no control");
  parts.push("histogram", "interval", "demo");
  if (title.includes("REQUEST/RESPONSE")) parts.push(`first burst ${settings.burst}`);
  if (local.cpu >= 0 || remote.cpu >= 0) parts.push("cpu bind");
  const from = end(ends.source, ends.sourceAddress, local.dataPort);
  const to = end(ends.destination, ends.destinationAddress, remote.dataPort);
  return `${title} from ${from} to ${to}${parts.map((part) => ` : ${part}`).join("")}\n`;
}
