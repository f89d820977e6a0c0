/** Two hosts as trees of files: one on which nothing stands in the way of a measurement, and one on which everything does. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { diagnose, type ServerAccount } from "../../../src/doctor/diagnose.js";
import { sourcesUnder } from "../../../src/doctor/files.js";
import type { Diagnosis } from "../../../src/doctor/finding.js";
import { type Look, lookAround } from "../../../src/doctor/surroundings.js";
import type { HostSources, LinkFacts } from "../../../src/result/host.js";

export interface Host {
  files: Record<string, string>;
  /** Symbolic links with their targets. */
  links: Record<string, string>;
  link: LinkFacts;
}

const cpu0 = "/sys/devices/system/cpu/cpu0/cpuidle";
const sysctl = "/proc/sys/net/ipv4";
const eth0 = "/sys/class/net/eth0";
const route = (name: string): string =>
  `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n${name}\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n`;

const limits = (files: string, memory: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${files}   ${files}   files\nMax locked memory         ${memory}   ${memory}   bytes\n`;

const allOn = { tso: true, gso: true, gro: true, lro: false, rxChecksum: true, txChecksum: true };

export const good: Host = {
  files: {
    "/proc/self/limits": limits("1048576", "unlimited"),
    "/proc/self/status": "Name:\tnode\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-3\n",
    "/proc/self/cgroup": "0::/\n",
    "/proc/net/route": route("eth0"),
    "/proc/net/sockstat": "sockets: used 200\nTCP: inuse 8 orphan 0 tw 0 alloc 8 mem 3\n",
    "/proc/stat": "cpu  0 0 0 0\ncpu0 10 0 10 1000 0 0 0 0\ncpu1 10 0 10 1000 0 0 0 0\n",
    "/proc/interrupts":
      "           CPU0       CPU1       CPU2       CPU3\n  24:  1  0  0  0  PCI-MSIX  eth0-TxRx-0\n  25:  1  0  0  0  PCI-MSIX  eth0-TxRx-1\n",
    "/proc/irq/24/effective_affinity_list": "0\n",
    "/proc/irq/25/effective_affinity_list": "1\n",
    "/proc/1/comm": "systemd\n",
    [`${sysctl}/ip_local_port_range`]: "32768\t60999\n",
    [`${sysctl}/tcp_timestamps`]: "1\n",
    [`${sysctl}/tcp_mem`]: "287832\t383779\t575664\n",
    [`${sysctl}/tcp_rmem`]: "4096\t131072\t6291456\n",
    [`${sysctl}/tcp_wmem`]: "4096\t16384\t4194304\n",
    [`${sysctl}/tcp_congestion_control`]: "cubic\n",
    "/proc/sys/net/core/somaxconn": "4096\n",
    "/proc/sys/net/core/optmem_max": "131072\n",
    "/sys/devices/system/cpu/online": "0-3\n",
    "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "performance\n",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    [`${cpu0}/state0/latency`]: "0\n",
    [`${cpu0}/state0/name`]: "POLL\n",
    [`${cpu0}/state1/latency`]: "200\n",
    [`${cpu0}/state1/name`]: "C6\n",
    [`${cpu0}/state1/disable`]: "1\n",
    [`${eth0}/mtu`]: "1500\n",
    [`${eth0}/speed`]: "25000\n",
    [`${eth0}/operstate`]: "up\n",
    [`${eth0}/queues/rx-0/rps_cpus`]: "0\n",
    [`${eth0}/queues/rx-1/rps_cpus`]: "0\n",
    [`${eth0}/queues/tx-0/xps_cpus`]: "0\n",
  },
  links: {
    [`${eth0}/device`]: "../../../devices/pci0/card",
    "/sys/devices/pci0/card/driver": "../../../bus/pci/drivers/mlx5_core",
  },
  link: { ...allOn, qdisc: "mq" },
};

export const bad: Host = {
  files: {
    ...good.files,
    "/proc/self/limits": limits("1000", "65536"),
    "/proc/self/status": "Name:\tnode\nCapEff:\t0000000000000000\nCpus_allowed_list:\t2\n",
    "/proc/self/cgroup": "0::/c\n",
    "/sys/fs/cgroup/c/cpu.max": "150000 100000\n",
    "/sys/fs/cgroup/c/cpu.stat": "usage_usec 1000\nnr_throttled 12\nthrottled_usec 3400000\n",
    "/proc/net/sockstat": "TCP: inuse 8 orphan 0 tw 0 alloc 8 mem 400000\n",
    "/proc/irq/25/effective_affinity_list": "0\n",
    "/proc/1234/comm": "irqbalance\n",
    [`${sysctl}/ip_local_port_range`]: "60000\t60999\n",
    [`${sysctl}/tcp_timestamps`]: "0\n",
    [`${sysctl}/tcp_rmem`]: "4096\t131072\t262144\n",
    [`${sysctl}/tcp_congestion_control`]: "bbr\n",
    "/proc/sys/net/core/somaxconn": "128\n",
    "/proc/sys/net/core/optmem_max": "20480\n",
    "/proc/sys/net/netfilter/nf_conntrack_max": "65536\n",
    "/proc/sys/net/netfilter/nf_conntrack_count": "60000\n",
    "/sys/devices/system/cpu/cpufreq/policy0/scaling_governor": "powersave\n",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
    [`${cpu0}/state1/disable`]: "0\n",
    [`${eth0}/mtu`]: "1450\n",
    [`${eth0}/operstate`]: "down\n",
  },
  links: good.links,
  link: { rxChecksum: true, txChecksum: false, tso: false, gro: false, qdisc: "tbf" },
};

const addresses: HostSources["interfaces"] = () => ({
  eth0: [{ family: "IPv4", address: "192.0.2.7", internal: false, netmask: "", mac: "", cidr: null }],
  lo: [{ family: "IPv4", address: "127.0.0.1", internal: true, netmask: "", mac: "", cidr: null }],
  other0: [{ family: "IPv4", address: "192.0.2.8", internal: false, netmask: "", mac: "", cidr: null }],
});

export interface Visit extends Partial<Look> {
  server?: ServerAccount;
  /** Files as they are when they are read again. */
  later?: Record<string, string>;
}

/** What the doctor says of such a host. */
export async function examine(host: Host, { server, later = {}, ...look }: Visit = {}): Promise<Diagnosis> {
  const root = await mkdtemp(join(tmpdir(), "cnb-load-doctor-"));
  try {
    for (const [path, text] of Object.entries(host.files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    for (const [path, target] of Object.entries(host.links)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await symlink(target, join(root, path));
    }
    const files = sourcesUnder(root, addresses);
    const seen = new Set<string>();
    const read: HostSources["read"] = (path) => {
      if (seen.has(path) && later[path] !== undefined) return later[path];
      seen.add(path);
      return files.read(path);
    };
    const sources = { ...files, read };
    const uring = { refusal: null };
    const linkFacts = (): LinkFacts => host.link;
    return diagnose(
      await lookAround({ sources, linkFacts, uring, localAddress: undefined, sampleMs: 0, ...look }),
      server,
    );
  } finally {
    await rm(root, { recursive: true });
  }
}
