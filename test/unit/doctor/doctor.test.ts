import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../../src/doctor/diagnose.js";
import { defaultInterface } from "../../../src/doctor/files.js";
import type { Finding, Patient } from "../../../src/doctor/finding.js";
import type { HostSources } from "../../../src/result/host.js";
import { readHostContext } from "../../../src/result/host.js";
import { packageVersion } from "../../../src/result/version.js";
import { renderDiagnosis } from "../../../src/report/diagnosis.js";
import { host as context } from "../result/fixtures.js";
import { bad, examine, good, type Host } from "./hosts.js";

const severities = ({ findings }: Patient): Record<string, string> =>
  Object.fromEntries(findings.map(({ id, severity }) => [id, severity]));

function finding({ findings }: Patient, id: string): Finding {
  const found = findings.find((one) => one.id === id);
  if (found === undefined) expect.fail(`nothing is said of ${id}`);
  return found;
}

const withFiles = (host: Host, files: Record<string, string>): Host => ({
  ...host,
  files: { ...host.files, ...files },
});

function without(host: Host, pattern: RegExp): Host {
  const kept = Object.entries(host.files).filter(([path]) => !pattern.test(path));
  return { ...host, files: Object.fromEntries(kept) };
}

const later = { "/proc/stat": "cpu0 10 0 12 1098 0 0 0 0\ncpu1 10 0 10 1100 0 0 0 0\n" };

describe("a good host", () => {
  it("is fine in every respect", async () => {
    const { client, server, unseen } = await examine(good, { later });
    expect(client.findings.filter(({ severity }) => severity !== "fine")).toEqual([]);
    expect(client.interface).toBe("eth0");
    expect(client.findings.map(({ id }) => id).toSorted()).toEqual([
      ...["accept-queue", "allowed-cpus", "clock-source", "congestion-control", "conntrack", "cpu-limit", "governor"],
      ...["idle-states", "interface", "io-uring", "irq-balance", "locked-memory", "mtu", "offloads", "open-files"],
      ...["operstate", "other-load", "port-range", "qdisc", "receive-cpus", "steal", "tcp-buffers", "tcp-memory"],
      ...["tcp-timestamps", "zero-copy", "zero-copy-memory"],
    ]);
    expect([server, unseen]).toEqual([undefined, []]);
  });
});

describe("a bad host", () => {
  it("is told what is wrong with it, the worst first", async () => {
    const uring = { refusal: "io_uring is switched off (kernel.io_uring_disabled = 2)" };
    const stat = "cpu0 60 0 30 1000 0 0 0 30\ncpu1 10 0 10 1100 0 0 0 0\n";
    const { client } = await examine(bad, { uring, later: { "/proc/stat": stat } });
    expect(severities(client)).toEqual({
      "accept-queue": "warning",
      "allowed-cpus": "warning",
      "clock-source": "warning",
      "congestion-control": "notice",
      conntrack: "severe",
      "cpu-limit": "warning",
      governor: "warning",
      "idle-states": "notice",
      interface: "fine",
      "io-uring": "notice",
      "irq-balance": "notice",
      "locked-memory": "warning",
      mtu: "notice",
      offloads: "warning",
      "open-files": "warning",
      operstate: "severe",
      "other-load": "warning",
      "port-range": "warning",
      qdisc: "warning",
      "receive-cpus": "warning",
      steal: "warning",
      "tcp-buffers": "warning",
      "tcp-memory": "severe",
      "tcp-timestamps": "warning",
      throttling: "notice",
      "zero-copy": "fine",
      "zero-copy-memory": "notice",
    });
    const order = ["severe", "warning", "notice", "unknown", "fine"];
    const ranks = client.findings.map(({ severity }) => order.indexOf(severity));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    for (const { why, remedy, severity, id } of client.findings) {
      expect(why).toMatch(/^[A-Z].*\.$/);
      // What a tunnel does to the MTU no command mends.
      if (severity !== "fine" && id !== "mtu") expect(remedy, id).toBeDefined();
    }
  });

  it("is told figures, and commands that can be run as they are", async () => {
    const { client } = await examine(bad, {
      later: { "/proc/stat": "cpu0 60 0 30 1000 0 0 0 30\ncpu1 10 0 10 1100 0 0 0 0\n" },
    });
    const said = (id: string): string => `${finding(client, id).found} | ${finding(client, id).remedy ?? ""}`;
    expect(said("conntrack")).toBe(
      "60,000 of at most 65,536 connections tracked | sysctl -w net.netfilter.nf_conntrack_max=1048576",
    );
    expect(said("port-range")).toMatch(
      /^1,000 source ports \(60000 to 60999\) \| sysctl -w net\.ipv4\.ip_local_port_range=/,
    );
    expect(said("offloads")).toBe("off: tx, tso, gro | ethtool -K eth0 tx on tso on gro on  # where the driver can");
    expect(said("receive-cpus")).toMatch(/^2 receive queues, interrupts on CPU 0, RPS off/);
    expect(said("cpu-limit")).toMatch(/^1\.5 cores of 4 CPUs/);
    expect(said("throttling")).toMatch(/^12 times so far, 3\.4 s in all/);
    // 30 of 200 ticks stolen; 70 of 200 busy, on 4 CPUs.
    expect(said("steal")).toMatch(/^15\.0 % of all CPU time/);
    expect(said("other-load")).toMatch(/^1\.40 of 4 cores/);
    expect(said("idle-states")).toMatch(/^the deepest, C6, takes 200 us.*cpupower idle-set -D 20$/);
    expect(said("locked-memory")).toMatch(/^0\.1 MiB: full zero-copy for 0 flows/);
  });
});

describe("a single check", () => {
  it.each<[string, Host, string]>([
    ["a single receive queue", without(good, /rx-1/), "notice"],
    [
      "RPS on a single queue",
      withFiles(without(good, /rx-1/), { "/sys/class/net/eth0/queues/rx-0/rps_cpus": "0000000e\n" }),
      "fine",
    ],
  ])("receive-cpus: %s", async (_, host, severity) => {
    expect(finding((await examine(host)).client, "receive-cpus").severity).toBe(severity);
  });

  it("receive-cpus gives a mask of all CPUs for RPS", async () => {
    const many = withFiles(without(good, /rx-1/), { "/sys/devices/system/cpu/online": "0-39\n" });
    expect(finding((await examine(many)).client, "receive-cpus").remedy).toMatch(
      /^ethtool -L eth0 combined 40 {2}# or echo ff,ffffffff > \/sys\/class\/net\/eth0\/queues\/rx-0\/rps_cpus/,
    );
  });

  it("receive-cpus finds interrupts by the device's folder and by its name", async () => {
    const virtio: Host = withFiles(
      {
        ...good,
        links: { ...good.links, "/sys/class/net/eth0/device": "../../../devices/pci0/virtio2" },
      },
      {
        "/proc/interrupts":
          "  30: 0 0 PCI-MSIX virtio2-input.0\n  31: 0 0 PCI-MSIX virtio2-config\n  32: 0 0 virtio21-input.0\n",
        "/proc/irq/30/effective_affinity_list": "3\n",
        "/proc/irq/31/effective_affinity_list": "1\n",
        "/proc/irq/32/effective_affinity_list": "1\n",
        "/sys/devices/pci0/virtio2/msi_irqs/33": "msix\n",
        "/proc/irq/33/smp_affinity_list": "2\n",
      },
    );
    expect(finding((await examine(virtio)).client, "receive-cpus").found).toMatch(/interrupts on CPU 2-3,/);
  });

  it("conntrack that is merely there is worth a notice, a small table a warning", async () => {
    const table = (max: string, count: string) =>
      withFiles(good, {
        "/proc/sys/net/netfilter/nf_conntrack_max": max,
        "/proc/sys/net/netfilter/nf_conntrack_count": count,
      });
    const severity = async (host: Host) => finding((await examine(host)).client, "conntrack").severity;
    expect(await severity(table("1048576\n", "10\n"))).toBe("notice");
    expect(await severity(table("65536\n", "10\n"))).toBe("warning");
    expect(await severity(table("1048576\n", "1000000\n"))).toBe("severe");
  });

  it("a virtual interface need not join packets, and copies", async () => {
    const { client } = await examine({ ...good, links: {}, link: { ...good.link, gro: false } });
    expect([finding(client, "offloads").severity, finding(client, "zero-copy").severity]).toEqual(["fine", "notice"]);
  });

  it("locked memory is no limit for a process that may lock what it likes", async () => {
    const capable = withFiles(bad, { "/proc/self/status": "CapEff:\t000001ffffffffff\n" });
    expect(finding((await examine(capable)).client, "locked-memory").severity).toBe("fine");
  });

  it("without an addon, a route or /proc says what could not be seen, and how to look", async () => {
    const { client } = await examine({ ...good, link: {} });
    expect([finding(client, "offloads").severity, finding(client, "qdisc").severity]).toEqual(["unknown", "unknown"]);
    expect(finding(client, "offloads").remedy).toBe("ethtool -k eth0");
    const nothing = await examine({ files: {}, links: {}, link: {} });
    expect(nothing.client.interface).toBeUndefined();
    expect(nothing.client.findings.filter(({ severity }) => severity === "severe" || severity === "warning")).toEqual(
      [],
    );
    expect(severities(nothing.client)).toMatchObject({
      "open-files": "unknown",
      steal: "unknown",
      interface: "unknown",
    });
  });

  it("an addon that cannot be loaded is severe", async () => {
    const { client } = await examine(good, { uring: { error: "cannot load the native addon" } });
    expect(finding(client, "io-uring")).toMatchObject({ severity: "severe", found: "cannot load the native addon" });
  });
});

describe("the interface", () => {
  it("is the one on the way to the server where that is known", async () => {
    expect((await examine(good, { localAddress: "127.0.0.1" })).client.interface).toBe("lo");
    expect((await examine(good, { localAddress: "192.0.2.8" })).client.interface).toBe("other0");
  });

  it("is that of the default route with the least metric, or of IPv6's", () => {
    const from = (files: Record<string, string>) => defaultInterface({ read: (path) => files[path] });
    const line = (name: string, destination: string, metric: number) =>
      `${name}\t${destination}\t0\t3\t0\t0\t${metric}\t00000000\t0\t0\t0`;
    const ipv4 = `Iface\n${line("wlan0", "00000000", 600)}\n${line("eth0", "00000000", 100)}\n${line("eth1", "0000000A", 1)}\n`;
    expect(from({ "/proc/net/route": ipv4 })).toBe("eth0");
    const zeros = "0".repeat(32);
    const ipv6 = `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 1 0 00200200       lo\n${zeros} 00 ${zeros} 00 ${zeros} 00000400 1 0 00000003     eth6\n`;
    expect(from({ "/proc/net/ipv6_route": ipv6 })).toBe("eth6");
    expect(from({})).toBeUndefined();
  });
});

describe("a server", () => {
  const far = context({
    hostname: "far",
    mtuBytes: 9000,
    interface: "eth9",
    rxQueues: 1,
    governor: "powersave",
    clocksource: "tsc",
  });

  it("is judged by what it tells, and the rest is named", async () => {
    const { server, unseen } = await examine(good, { server: { host: far, uringRefusal: "seccomp", sameHost: false } });
    if (server === undefined) expect.fail("no server");
    expect(severities(server)).toMatchObject({
      governor: "warning",
      "clock-source": "fine",
      "mtu-match": "warning",
      "receive-queues": "notice",
      "io-uring": "notice",
    });
    expect(finding(server, "mtu-match").remedy).toMatch(/^ip link set dev eth9 mtu 1500 {2}# on the server;/);
    expect(unseen.join()).toMatch(/connection tracking, interrupts.*run cnb-load doctor there/);
  });

  it("on this machine is not judged twice", async () => {
    const { server, unseen } = await examine(good, { server: { host: far, uringRefusal: null, sameHost: true } });
    expect(server).toBeUndefined();
    expect(unseen.join()).toMatch(/runs on this machine/);
  });

  it("cannot put words into a command or drive the terminal", async () => {
    const evil = { ...far, interface: "e;reboot", hostname: "\u001b[2Jfar", kernel: "a\nb" };
    const diagnosis = await examine(good, { server: { host: evil, uringRefusal: "\u0007x", sameHost: false } });
    for (const { remedy = "" } of diagnosis.server?.findings ?? []) expect(remedy).not.toContain(";reboot");
    expect(renderDiagnosis(diagnosis).replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

describe("whatever the files hold", () => {
  it("nothing throws, and every finding is whole", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      fc.string({ unit: fc.constantFrom("0", "1", "2", "9", " ", "\n", "\t", "-", ",", ":", "a", "f") }),
      fc.constantFrom(...Object.values(good.files), ...Object.values(bad.files)),
    );
    const names = fc.array(fc.oneof(fc.string(), fc.constantFrom("rx-0", "rx-1", "state0", "policy0", "12")));
    fc.assert(
      fc.property(fc.func(text), names, text, (read, list, qdisc) => {
        const sources: HostSources = {
          read: (path) => read(path),
          list: () => list,
          link: () => "x",
          interfaces: () => ({}),
        };
        const diagnosis = diagnose({
          ...sources,
          context: { ...readHostContext(undefined, sources), interface: "eth0", qdisc },
          uring: { refusal: null },
          stat: { before: read("1"), after: read("2") },
        });
        for (const { found, why, id } of diagnosis.client.findings) {
          expect([typeof found, typeof why, typeof id]).toEqual(["string", "string", "string"]);
          expect(found).not.toMatch(/NaN|undefined|Infinity/);
        }
        expect(renderDiagnosis(diagnosis).endsWith("\n")).toBe(true);
      }),
    );
  });
});

describe("the text", () => {
  it("is as in its golden file", async () => {
    const version = packageVersion();
    const far = context({ hostname: "far", mtuBytes: 9000, interface: "eth9", version });
    const diagnosis = await examine(bad, { server: { host: far, uringRefusal: null, sameHost: false } });
    const client = { ...diagnosis.client, hostname: "near", kernel: "Linux 6.8.0" };
    const text = renderDiagnosis({ ...diagnosis, client }).replaceAll(version, "1.2.3");
    await expect(text).toMatchFileSnapshot("golden/bad.txt");
  });
});
