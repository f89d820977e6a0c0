/** UDP tests over veth, held against what the kernel counted, and loss that was made on purpose. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import { DEVICE, type Network } from "../support/netns.js";
import { allOf, command, describeIf, itIf, rootAndNetns } from "../support/requires.js";
import { checkResult } from "./invariants.js";
import { Lab } from "./lab.js";

const SHORT = ["--duration", "1s", "--warmup", "100ms"];
/** Two datagrams each way bring a flow up, and again what was not answered at once. */
const SETUP_DATAGRAMS = 2;

interface UdpCounts {
  out: number;
  delivered: number;
  full: number;
}

const countsOf = (host: Network["server"]): UdpCounts => ({
  out: host.udpCounter("OutDatagrams"),
  delivered: host.udpCounter("InDatagrams"),
  full: host.udpCounter("RcvbufErrors"),
});

const grown = (before: UdpCounts, after: UdpCounts): UdpCounts => ({
  out: after.out - before.out,
  delivered: after.delivered - before.delivered,
  full: after.full - before.full,
});

const datagramsOf = ({ totals }: Result) => {
  const [local, remote] = [totals.local.datagrams, totals.remote?.datagrams];
  if (local === undefined || remote === undefined) throw new Error("the counters of datagrams are missing");
  return { local, remote };
};

const codes = ({ warnings }: Result): string[] => warnings.map(({ code }) => code);

describeIf(rootAndNetns())("datagrams over veth", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  async function compare(name: string, ...args: string[]) {
    const { client, server } = lab.network;
    const before = { client: countsOf(client), server: countsOf(server) };
    const result = await lab.measure(name, ...SHORT, ...args);
    checkResult(result);
    const kernel = {
      client: grown(before.client, countsOf(client)),
      server: grown(before.server, countsOf(server)),
    };
    return { result, kernel, setup: SETUP_DATAGRAMS * result.spec.flows };
  }

  const shapes = [
    ["block", "1", "-4"],
    ["epoll", "32", "-6"],
    ["spin", "3", "-4"],
  ] as const;

  it.each(shapes)("udp-stream with engine %s and %s flow(s) agrees with the kernel (%s)", async (engine, flows, ip) => {
    const args = ["--engine", engine, "-P", flows, ip, "--bandwidth", "20M", "-i", "100ms", "--batch", "2"];
    const { result, kernel, setup } = await compare("udp-stream", ...args);
    const { local, remote } = datagramsOf(result);
    // What fits a packet of Ethernet.
    expect(result.datagrams?.sizeBytes).toBe(ip === "-4" ? 1472 : 1452);
    expect(codes(result)).not.toContain("DATAGRAMS_FRAGMENTED");
    expect(kernel.client.out).toBeGreaterThanOrEqual(local.sent + setup);
    expect(kernel.server.delivered).toBeGreaterThanOrEqual(remote.received + setup);
    // Hellos that were said again, on a busy host, are all that may come on top.
    expect(kernel.client.out - local.sent).toBeLessThanOrEqual(20 * setup);
    expect(kernel.server.delivered - remote.received).toBeLessThanOrEqual(20 * setup);
    // Nothing is lost but where the receiver was late.
    expect(local.sent - remote.received).toBe(remote.dropped);
    expect(kernel.server.full).toBe(remote.dropped);
    expect(remote.received).toBeLessThanOrEqual(local.sent);
    const lost = result.datagrams?.lost ?? Infinity;
    expect(lost).toBeLessThanOrEqual(remote.dropped);
    expect(result.flows.reduce((sum, flow) => sum + (flow.datagrams?.lost ?? Infinity), 0)).toBe(lost);
  });

  it("udp-stream in trains arrives as it was sent", async () => {
    const args = ["--gso", "--gro", "--batch", "4", "--send-size", "1000", "--bandwidth", "100M"];
    const { result } = await compare("udp-stream", ...args, "-P", "2", "--engine", "epoll");
    const { local, remote } = datagramsOf(result);
    expect(result.totals.local.bytesSent).toBe(local.sent * 1000);
    expect(result.totals.remote?.bytesReceived).toBe(remote.received * 1000);
    expect(remote.received).toBeLessThanOrEqual(local.sent);
  });

  it.each(shapes)("udp-rr with engine %s and %s flow(s) agrees with the kernel (%s)", async (engine, flows, ip) => {
    const sizes = ["--request", "100", "--response", "1000", "--retry-after", "30s", "-i", "100ms"];
    const { result, kernel, setup } = await compare("udp-rr", "--engine", engine, "-P", flows, ip, ...sizes);
    const { local, remote } = datagramsOf(result);
    expect(local.lost).toBe(0);
    expect(local.sent - result.totals.local.transactions).toBeLessThanOrEqual(Number(flows));
    expect(remote.sent).toBe(result.totals.remote?.transactions);
    for (const [counted, ours] of [
      [kernel.client.out, local.sent],
      [kernel.server.out, remote.sent],
      [kernel.server.delivered, remote.received],
    ] as const) {
      expect(counted).toBeGreaterThanOrEqual(ours + setup);
      expect(counted - ours).toBeLessThanOrEqual(20 * setup);
    }
  });

  it("warns of datagrams that do not fit a packet, and of what they cost", async () => {
    const { result } = await compare("udp-stream", "--send-size", "3000", "--bandwidth", "10M");
    expect(codes(result)).toContain("DATAGRAMS_FRAGMENTED");
    const warned = await compare("udp-rr", "--response", "5000", "--retry-after", "30s", "--rate", "300/s");
    expect(codes(warned.result)).toContain("DATAGRAMS_FRAGMENTED");
  });

  it("refuses trains of datagrams that do not fit a packet, naming the option", async () => {
    const { code, stderr } = await lab.finish("udp-stream", ...SHORT, "--gso", "--send-size", "3000");
    expect([code, stderr]).toEqual([2, expect.stringContaining("--gso: ")]);
  });

  it("counts what the sender's own queue drops as lost", async () => {
    const tbf = ["tbf", "rate", "4mbit", "burst", "4kb", "limit", "8kb"];
    lab.network.client.run("tc", "qdisc", "replace", "dev", DEVICE, "root", ...tbf);
    try {
      const { result } = await compare("udp-stream", "--bandwidth", "16M");
      expect(codes(result)).toContain("SENDER_DROPS");
      const { local, remote } = datagramsOf(result);
      expect(local.sent - remote.received).toBeGreaterThan(local.sent / 2);
      expect(result.network?.local?.udp?.sendBufferErrors).toBeGreaterThan(0);
      expect(result.datagrams?.lost).toBeGreaterThan(0);
    } finally {
      lab.network.client.run("tc", "qdisc", "delete", "dev", DEVICE, "root");
    }
  });
});

describe("loss by a rule of the server's firewall", () => {
  const needs = allOf(rootAndNetns(), command("nft"));

  /** Drops what is longer than any hello, by the condition, and counts it. */
  function drop(lab: Lab, condition: string): () => number {
    const { server } = lab.network;
    server.run("nft", "add table inet loss");
    server.run("nft", "add chain inet loss input { type filter hook input priority 0; }");
    server.run("nft", `add rule inet loss input udp length > 100 ${condition} counter drop`);
    return () => Number(/counter packets (\d+)/.exec(server.run("nft", "list", "table", "inet", "loss"))?.[1]);
  }

  itIf(needs)("is what udp-stream reports", async () => {
    await using lab = await Lab.start();
    const dropped = drop(lab, "numgen inc mod 7 == 0");
    const result = await lab.measure("udp-stream", ...SHORT, "--bandwidth", "10M", "-P", "2", "--send-size", "1000");
    checkResult(result);
    const { local, remote } = datagramsOf(result);
    expect(dropped()).toBeGreaterThan(0);
    expect(local.sent - remote.received).toBe(dropped() + remote.dropped);
    // One in seven of the window's, but for where it begins and what the receiver was too slow for.
    const { lost = 0, sent = 0, lostPct = 0 } = result.datagrams ?? {};
    expect(lost).toBeGreaterThanOrEqual(Math.floor(sent / 7) - 1);
    expect(lost).toBeLessThanOrEqual(Math.ceil(sent / 7) + 1 + remote.dropped);
    expect(lostPct).toBeCloseTo((lost / sent) * 100, 9);
  });

  itIf(needs)("is what udp-rr reports, and no latency holds it", async () => {
    await using lab = await Lab.start();
    const dropped = drop(lab, "numgen inc mod 20 == 0");
    const args = ["--request", "200", "--retry-after", "50ms", "-P", "8", "--engine", "epoll"];
    const result = await lab.measure("udp-rr", ...SHORT, ...args);
    checkResult(result);
    const { local } = datagramsOf(result);
    expect(dropped()).toBeGreaterThan(0);
    // Each flow may have had one under way at the end; on a busy host answers may have come too late.
    expect(local.lost).toBeGreaterThanOrEqual(dropped() - 8);
    expect(local.lost - local.late).toBeLessThanOrEqual(dropped() + 8);
    expect(local.sent - local.lost - result.totals.local.transactions).toBeLessThanOrEqual(8);
    expect(codes(result)).toContain("REQUESTS_LOST");
  });

  itIf(needs)("of everything leaves a udp-rr run that ends in time and says so", async () => {
    await using lab = await Lab.start();
    drop(lab, "");
    for (const engine of ["block", "epoll"]) {
      const args = ["--request", "200", "--retry-after", "100ms", "--engine", engine];
      const result = await lab.measure("udp-rr", ...SHORT, ...args);
      expect(result).toMatchObject({ state: "completed", transactions: { count: 0 } });
      expect(result).not.toHaveProperty("latency");
      expect(result.datagrams?.lost).toBeGreaterThan(0);
      expect(codes(result)).toContain("REQUESTS_LOST");
    }
  });
});
