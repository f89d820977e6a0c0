/** What a result says of both hosts, against what the test made of them and what their kernels count. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Interval, Result } from "../../src/result/model.js";
import { DEVICE } from "../support/netns.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { until } from "../support/until.js";
import { Lab } from "./lab.js";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The parts and the whole: what grew in the intervals is what grew in the window. */
function checkTcp({ tcpInfo, intervals, flows }: Result): void {
  expect(tcpInfo?.flows).toBe(flows.length);
  expect(tcpInfo?.retransmits).toBe(sum(flows.map((flow) => flow.tcpInfo?.retransmits ?? 0)));
  const parts = intervals.flatMap((interval: Interval) => interval.tcpInfo ?? []);
  expect(parts).toHaveLength(intervals.length);
  for (const name of ["retransmits", "busyNs", "rwndLimitedNs", "sndbufLimitedNs"] as const) {
    expect(sum(parts.map((part) => part[name]))).toBe(tcpInfo?.[name]);
  }
  expect(tcpInfo?.busyNs).toBeGreaterThan(0);
}

describeIf(rootAndNetns())("both hosts", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
    // Only the client's end: the two must not be mistaken for each other.
    const shape = ["root", "tbf", "rate", "1gbit", "burst", "256k", "latency", "50ms"];
    lab.network.client.run("tc", "qdisc", "replace", "dev", DEVICE, ...shape);
    // The kernel takes up to a second to call a new link running, and addresses of one that is not are not listed (IFF_RUNNING).
    const { client, server } = lab.network;
    const running = (): boolean =>
      [client, server].every((host) => host.ip("link", "show", DEVICE).includes("state UP"));
    await until(running, "both links run");
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it.each(["stream", "maerts", "rr"])("are told apart, and TCP_INFO adds up (%s)", async (command) => {
    const result = await lab.measure(command, "-P", "3", "-l", "800ms", "--warmup", "100ms", "--interval", "200ms");
    expect(result.host.local).toMatchObject({ interface: DEVICE, qdisc: "tbf", offloads: { tso: true } });
    expect(result.host.remote).toMatchObject({ interface: DEVICE, qdisc: "noqueue", offloads: { tso: true } });
    checkTcp(result);
  });

  it("have counters of their own namespaces that cover the window", async () => {
    const result = await lab.measure("crr", "-P", "2", "-l", "500ms", "--warmup", "100ms");
    const [local, remote] = [result.network?.local, result.network?.remote];
    const connections = result.connections?.count ?? 0;
    expect(connections).toBeGreaterThan(0);
    for (const opens of [local?.tcp?.activeOpens, remote?.tcp?.passiveOpens]) {
      expect(opens).toBeGreaterThanOrEqual(connections);
      expect(opens).toBeLessThanOrEqual(result.totals.local.connections);
    }
    // The client alone connects, the server alone accepts.
    expect(local?.tcp?.passiveOpens).toBe(0);
    expect(remote?.tcp?.activeOpens).toBe(0);
    // SYN, ACK, request, FIN at the least.
    expect(local?.interface?.txPackets).toBeGreaterThanOrEqual(4 * connections);
    expect(remote?.interface?.rxPackets).toBeGreaterThanOrEqual(4 * connections);
    expect(local?.softnet?.processed).toBeGreaterThan(connections);
    expect(result).not.toHaveProperty("tcpInfo");
  });
});
