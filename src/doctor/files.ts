import { readdirSync, readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { basename, join } from "node:path";
import type { HostSources } from "../result/host.js";
import { readText, words } from "../result/text.js";

/** /proc and /sys below a folder, "/" for the host's own. What cannot be read for any reason is undefined or empty. */
export function sourcesUnder(root: string, interfaces: HostSources["interfaces"] = networkInterfaces): HostSources {
  return {
    read: (path) => readText(join(root, path)),
    list(folder) {
      try {
        return readdirSync(join(root, folder));
      } catch {
        return [];
      }
    },
    link(path) {
      try {
        return basename(readlinkSync(join(root, path)));
      } catch {
        return undefined;
      }
    },
    interfaces,
  };
}

/** The interface of the default route, IPv4 before IPv6; undefined where there is none. */
export function defaultInterface({ read }: Pick<HostSources, "read">): string | undefined {
  const lines = (path: string): string[][] => (read(path) ?? "").split("\n").map((line) => words(line));
  // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
  const [ipv4] = lines("/proc/net/route")
    .filter((columns) => columns[1] === "00000000" && columns[7] === "00000000")
    .toSorted((a, b) => Number(a[6]) - Number(b[6]));
  if (ipv4?.[0] !== undefined) return ipv4[0];
  // Destination and its prefix length first, the interface last; the kernel's own catch-all routes are on lo.
  const ipv6 = lines("/proc/net/ipv6_route").find(
    (columns) => /^0{32}$/.test(columns[0] ?? "") && columns[1] === "00" && columns.at(-1) !== "lo",
  );
  return ipv6?.at(-1);
}
