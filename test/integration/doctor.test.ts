import { expect, it } from "vitest";
import type { Diagnosis, Finding } from "../../src/doctor/finding.js";
import { DEVICE, type Namespace } from "../support/netns.js";
import { allOf, command, describeIf, rootAndNetns } from "../support/requires.js";
import { until } from "../support/until.js";
import { Lab } from "./lab.js";

const SPOILT = ["accept-queue", "offloads", "port-range", "qdisc", "tcp-buffers", "tcp-timestamps"];

/** What can be spoilt in a namespace without touching the host. */
function spoil(host: Namespace): void {
  host.sysctl("net.core.somaxconn", "128");
  host.sysctl("net.ipv4.ip_local_port_range", "60000 60999");
  host.sysctl("net.ipv4.tcp_timestamps", "0");
  host.sysctl("net.ipv4.tcp_rmem", "4096 131072 262144");
  host.run("tc", "qdisc", "add", "dev", DEVICE, "root", "tbf", "rate", "1gbit", "burst", "64kb", "latency", "50ms");
  host.run("ethtool", "-K", DEVICE, "tso", "off", "gso", "off");
}

/** Runs a remedy as it stands. sysctl's are written to /proc: procps may not be installed. */
function mend(host: Namespace, remedy: string): void {
  const settings = [...remedy.matchAll(/([a-z][\w.]+)=(?:"([^"]*)"|(\S+))/g)];
  if (!remedy.startsWith("sysctl -w ")) host.run("sh", "-e", "-c", remedy);
  else for (const [, name = "", quoted, plain = ""] of settings) host.sysctl(name, quoted ?? plain);
}

async function findings(lab: Lab): Promise<Map<string, Finding>> {
  const { stdout, stderr, code } = await lab.finish("doctor");
  expect([stderr, code]).toEqual(["", 0]);
  const { client } = JSON.parse(stdout) as Diagnosis;
  expect(client.interface).toBe(DEVICE);
  return new Map(client.findings.map((finding) => [finding.id, finding]));
}

describeIf(allOf(rootAndNetns(), command("ethtool"), command("tc", ["-V"])))("cnb-load doctor in a namespace", () => {
  it("finds what was spoilt, and its remedies mend it", async () => {
    await using lab = await Lab.start("--quiet");
    const { client } = lab.network;
    // The kernel tells of a new link up to a second late, and until then nobody lists it.
    await until(() => client.run("cat", `/sys/class/net/${DEVICE}/operstate`).trim() === "up", "link up");
    const severity = async (): Promise<(string | undefined)[]> => {
      const found = await findings(lab);
      return SPOILT.map((id) => found.get(id)?.severity);
    };
    expect(await severity()).toEqual(SPOILT.map(() => "fine"));
    spoil(client);
    const sick = await findings(lab);
    expect(SPOILT.map((id) => sick.get(id)?.severity)).toEqual(SPOILT.map(() => "warning"));
    expect(sick.get("qdisc")?.found).toBe(`tbf on ${DEVICE}`);
    expect(sick.get("offloads")?.found).toBe("off: tso, gso");
    for (const id of SPOILT) mend(client, sick.get(id)?.remedy ?? "");
    expect(await severity()).toEqual(SPOILT.map(() => "fine"));
  });
});
