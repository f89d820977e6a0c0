/** What must hold for every completed result, and how results compare with what the kernel counted meanwhile. */
import { expect } from "vitest";
import { isBulk, makesConnections } from "../../src/options/spec.js";
import type { LatencySummary, Result } from "../../src/result/model.js";
import type { LinkCounters, Network } from "../support/netns.js";

export function sum(values: readonly (number | undefined)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

function checkLatency(latency: LatencySummary | undefined, transactions: number): void {
  expect(latency?.count).toBe(transactions);
  if (latency === undefined) return;
  const { minNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs, meanNs } = latency;
  // Percentiles are upper ends of buckets, up to 0.1 % above the values in them.
  const ascending = [1, minNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs * 1.001];
  expect(ascending).toEqual([...ascending].sort((a, b) => a - b));
  expect(meanNs).toBeGreaterThanOrEqual(minNs);
  expect(meanNs).toBeLessThanOrEqual(maxNs);
}

function checkThroughput({ throughput, flows, intervals, window }: Result): void {
  expect(throughput?.bytes).toBeGreaterThan(0);
  expect(sum(flows.map(({ bytes }) => bytes))).toBe(throughput?.bytes);
  expect(sum(flows.map(({ sentBytes }) => sentBytes))).toBe(throughput?.sender?.bytes);
  expect(throughput?.bitsPerSecond).toBeGreaterThan(0);
  expect(window.remoteDurationNs).toBeGreaterThan(0);
  if (intervals.length === 0) return;
  expect(sum(intervals.map((interval) => interval.throughput?.bytes))).toBe(throughput?.bytes);
  expect(sum(intervals.map((interval) => interval.throughput?.sender?.bytes))).toBe(throughput?.sender?.bytes);
}

function checkTransactions(result: Result): void {
  const { transactions, flows, intervals, latency, window } = result;
  const count = transactions?.count ?? 0;
  expect(count).toBeGreaterThan(0);
  expect(transactions?.perSecond).toBeCloseTo((count * 1e9) / window.durationNs, 3);
  expect(sum(flows.map((flow) => flow.transactions))).toBe(count);
  checkLatency(latency, count);
  if (intervals.length > 0) {
    expect(sum(intervals.map((interval) => interval.transactions?.count))).toBe(count);
    expect(sum(intervals.map((interval) => interval.latency?.count))).toBe(count);
  }
  if (!makesConnections(result.test)) return;
  checkLatency(result.connectLatency, count);
  if (result.test === "tcp_cc") expect(result.requestLatency).toBeUndefined();
  else checkLatency(result.requestLatency, count);
}

const isPaced = ({ bandwidthBitsPerSecond, ratePerSecond }: Result["spec"]): boolean =>
  bandwidthBitsPerSecond > 0 || ratePerSecond > 0;

export function checkResult(result: Result): void {
  const { spec, flows, intervals, window } = result;
  expect(result.state).toBe("completed");
  expect(flows).toHaveLength(spec.flows);
  expect(window.durationNs).toBeGreaterThanOrEqual(spec.durationNs);
  if (intervals.length > 0) expect(sum(intervals.map(({ durationNs }) => durationNs))).toBe(window.durationNs);
  if (isBulk(spec.test)) checkThroughput(result);
  else checkTransactions(result);
  for (const end of [result.cpu.local, result.cpu.remote]) {
    // The kernel counts CPU time in ticks: what is paced may fall between them all.
    expect(end?.busyCores).toBeGreaterThanOrEqual(isPaced(spec) ? 0 : Number.MIN_VALUE);
    expect(sum(end?.perCpu.map(({ busyCores }) => busyCores) ?? [])).toBeCloseTo(end?.busyCores ?? 0, 6);
  }
}

/** What the kernel has counted so far. */
export interface KernelCounts {
  /** The server's end of the link, and connections that it has accepted. */
  link: LinkCounters;
  passiveOpens: number;
  /** Segments that either host has sent again: the link saw them twice. */
  retransmits: number;
}

export function kernelCounts({ server, client }: Network): KernelCounts {
  return {
    link: server.link(),
    passiveOpens: server.tcpCounter("PassiveOpens"),
    retransmits: server.tcpCounter("RetransSegs") + client.tcpCounter("RetransSegs"),
  };
}

/** Ethernet, IP and TCP headers with the timestamp option, bytes. */
const HEADER_BYTES = { ipv4: 14 + 20 + 32, ipv6: 14 + 40 + 32 };
/** A SYN carries these bytes of options more (MSS, SACK permitted, window scale). */
const SYN_OPTIONS_BYTES = 8;
/** Payload of a full segment at the link's MTU of 1500: the most that a retransmission repeats. */
const SEGMENT_BYTES = 1448;
/** The control connection's frames, ARP and neighbour discovery, SACK options: far below what a test moves. */
const OVERHEAD_BYTES = 64 * 1024;

/** TCP payload that passed the link in each direction. */
function payload(before: KernelCounts, after: KernelCounts, family: "ipv4" | "ipv6") {
  const header = HEADER_BYTES[family];
  const syns = (after.passiveOpens - before.passiveOpens) * SYN_OPTIONS_BYTES;
  const [from, to] = [before.link, after.link];
  return {
    toServer: to.receivedBytes - from.receivedBytes - header * (to.receivedPackets - from.receivedPackets) - syns,
    toClient: to.sentBytes - from.sentBytes - header * (to.sentPackets - from.sentPackets) - syns,
  };
}

export interface Agreement {
  before: KernelCounts;
  after: KernelCounts;
  family: "ipv4" | "ipv6";
}

/** Payload of the transactions that may have been cut off in the midst: one counts when it is complete. */
function incompleteBytes({ test, flows, burst, requestBytes, responseBytes }: Result["spec"]): number {
  if (isBulk(test) || test === "tcp_cc") return 0;
  return flows * (burst + 1) * Math.max(requestBytes, responseBytes);
}

/**
 * To within 1 %: what was received is what passed the link, but for what passed it twice; nothing else passed that was not sent; every
 * connection is one that the server's kernel has seen opened.
 */
export function checkAgreement(result: Result, { before, after, family }: Agreement): void {
  const { local, remote } = result.totals;
  if (remote === undefined) throw new Error("the server's counters are missing");
  const { toServer, toClient } = payload(before, after, family);
  const slack = OVERHEAD_BYTES + incompleteBytes(result.spec);
  const again = SEGMENT_BYTES * (after.retransmits - before.retransmits);
  const directions = [
    { name: "client to server", wire: toServer, sent: local.bytesSent, received: remote.bytesReceived },
    { name: "server to client", wire: toClient, sent: remote.bytesSent, received: local.bytesReceived },
  ];
  for (const { name, wire, sent, received } of directions) {
    const figures = `${name}: sent ${sent}, passed ${wire}, received ${received}, sent again at most ${again}`;
    expect(received, figures).toBeLessThanOrEqual(wire * 1.01 + slack);
    expect(received, figures).toBeGreaterThanOrEqual(wire * 0.99 - again - slack);
    expect(sent, figures).toBeGreaterThanOrEqual(wire * 0.99 - again - slack);
  }
  checkConnections(result, after.passiveOpens - before.passiveOpens);
}

function checkConnections({ spec, totals }: Result, passiveOpens: number): void {
  // One is the control connection.
  const opened = passiveOpens - 1;
  if (!makesConnections(spec.test)) {
    expect(opened).toBe(spec.flows);
    return;
  }
  // What each flow had begun when it was stopped, and the client's first attempt, may be missing.
  const least = opened - spec.flows - 1 - opened / 100;
  // Connections without a byte that their client closes wait for nothing that the server's program does, which may come to accept them or not.
  const accepted = spec.test === "tcp_cc" && spec.close !== "server" ? [] : [totals.remote?.connections];
  for (const connections of [totals.local.connections, ...accepted]) {
    expect(connections).toBeGreaterThanOrEqual(least);
    expect(connections).toBeLessThanOrEqual(opened);
  }
}
