/** What must hold for every result of the addon, whatever ran. */
import { expect } from "vitest";
import type { NativeCounters, NativeHistogram, NativePlan, NativeResult } from "../../src/native/index.js";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function countOf({ counts }: NativeHistogram): number {
  return sum([...counts]);
}

/** One half on its own. */
export function checkHalf(result: NativeResult, plan: Pick<NativePlan, "flows" | "cpus" | "loop">, crrServer: boolean) {
  const { counters, total, flows, fault } = result;
  expect(fault).toBeNull();
  expect(result.windowNs).toBeGreaterThan(0);
  expect(result.workerCpuNs).toBeGreaterThan(0);
  expect(flows).toHaveLength(crrServer ? plan.cpus.length : plan.flows);
  expect(sum(flows.map(({ bytesSent }) => bytesSent))).toBe(counters.bytesSent);
  expect(sum(flows.map(({ bytesReceived }) => bytesReceived))).toBe(counters.bytesReceived);
  expect(sum(flows.map(({ transactions }) => transactions))).toBe(counters.transactions);
  for (const key of ["bytesSent", "bytesReceived", "transactions", "connections"] as const) {
    expect(total[key]).toBeGreaterThanOrEqual(counters[key]);
  }
  expect(sum(Object.values(total.connectErrors) as number[])).toBe(0);
  expect(result.socket.congestion).not.toBe("");
  expect(Math.min(result.socket.sndbufBytes, result.socket.rcvbufBytes)).toBeGreaterThan(0);
  // A socket without a connection tells of TCP_MSS_DEFAULT, 536, whatever the path.
  if (crrServer) expect(result.socket.mssBytes).toBe(0);
  else expect(result.socket.mssBytes).toBeGreaterThan(536);
  for (const flow of flows) {
    expect(flow.tcpInfo === undefined).toBe(plan.loop === "crr");
    if (flow.tcpInfo === undefined) continue;
    const { rttNs, minRttNs, cwndPackets, mssBytes, retransmits, busyNs, rwndLimitedNs, sndbufLimitedNs } =
      flow.tcpInfo;
    expect(Math.min(rttNs, minRttNs, cwndPackets, mssBytes)).toBeGreaterThan(0);
    expect(retransmits).toBeGreaterThanOrEqual(0);
    expect(Math.max(rwndLimitedNs, sndbufLimitedNs)).toBeLessThanOrEqual(busyNs);
  }
  checkTcpSummary(result);
}

function checkTcpSummary({ tcp, flows }: NativeResult): void {
  const infos = flows.flatMap(({ tcpInfo }) => tcpInfo ?? []);
  expect(tcp === undefined).toBe(infos.length === 0);
  if (tcp === undefined) return;
  expect(tcp.flows).toBe(infos.length);
  for (const name of ["retransmits", "busyNs", "rwndLimitedNs", "sndbufLimitedNs"] as const) {
    expect(tcp[name]).toBe(sum(infos.map((info) => info[name])));
  }
  expect(tcp.rttNs).toBe(Math.floor(sum(infos.map(({ rttNs }) => rttNs)) / infos.length));
  expect(tcp.minRttNs).toBe(Math.min(...infos.map(({ minRttNs }) => minRttNs)));
}

/** Every transaction is in the histogram, and the histogram's own figures fit together. */
export function checkHistogram(histogram: NativeHistogram | undefined, transactions: number): void {
  expect(histogram).toBeDefined();
  if (histogram === undefined) return;
  const { minNs, maxNs, sumNs } = histogram;
  expect(countOf(histogram)).toBe(transactions);
  expect(minNs).toBeGreaterThan(0);
  expect(maxNs).toBeGreaterThanOrEqual(minNs);
  expect(sumNs).toBeGreaterThanOrEqual(minNs * transactions);
  expect(sumNs).toBeLessThanOrEqual(maxNs * transactions);
  expect(histogram.counts[0]).toBeGreaterThan(0);
  expect(histogram.counts.at(-1)).toBeGreaterThan(0);
}

/** What one side has sent the other has received, but for what was still on its way when the session was stopped. */
export function checkDirection(sender: NativeCounters, receiver: NativeCounters): void {
  expect(receiver.bytesReceived).toBeGreaterThan(0);
  expect(receiver.bytesReceived).toBeLessThanOrEqual(sender.bytesSent);
}
