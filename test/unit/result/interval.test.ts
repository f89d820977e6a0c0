import { describe, expect, it } from "vitest";
import { buildInterval } from "../../../src/result/interval.js";
import type { IntervalPoint, TcpSummary } from "../../../src/result/raw.js";
import { counters, histogram, spec, tcpInfo } from "./fixtures.js";

const point = (
  windowNs: number,
  counted: Parameters<typeof counters>[0],
  rest: Partial<IntervalPoint> = {},
): IntervalPoint => ({
  atNs: 5e9 + windowNs,
  local: { windowNs, counters: counters(counted) },
  ...rest,
});

describe("buildInterval", () => {
  it("has the receiver's bytes over the time on the receiver's clock", () => {
    const from = point(1e9, { bytesSent: 1000 }, { remote: { windowNs: 0.9e9, bytesReceived: 800, bytesSent: 0 } });
    const to = point(3e9, { bytesSent: 4000 }, { remote: { windowNs: 1.9e9, bytesReceived: 2800, bytesSent: 0 } });
    expect(buildInterval(spec("tcp_stream"), from, to)).toEqual({
      startNs: 1e9,
      durationNs: 2e9,
      throughput: { bitsPerSecond: 16_000, bytes: 2000, sender: { bitsPerSecond: 12_000, bytes: 3000 } },
    });
  });

  it("has the client as the receiver for MAERTS", () => {
    const from = point(0, {});
    const to = point(1e9, { bytesReceived: 500 }, { remote: { windowNs: 2e9, bytesReceived: 0, bytesSent: 600 } });
    expect(buildInterval(spec("tcp_maerts"), from, to).throughput).toEqual({
      bitsPerSecond: 4000,
      bytes: 500,
      sender: { bitsPerSecond: 2400, bytes: 600 },
    });
  });

  it("counts from zero where the window had only just opened and the server was not asked", () => {
    const to = point(1e9, { bytesSent: 700 }, { remote: { windowNs: 1e9, bytesReceived: 500, bytesSent: 0 } });
    expect(buildInterval(spec("tcp_stream"), point(0, {}), to).throughput?.bytes).toBe(500);
  });

  it("has no goodput without the server's figures later on", () => {
    const interval = buildInterval(spec("tcp_stream"), point(1e9, { bytesSent: 0 }), point(2e9, { bytesSent: 10 }));
    expect(interval.throughput).toEqual({ sender: { bitsPerSecond: 80, bytes: 10 } });
  });

  it("has the transactions and the latency of its own time only", () => {
    const from = point(1e9, { transactions: 2 });
    from.local.latency = histogram([100, 200]);
    const to = point(2e9, { transactions: 5 });
    to.local.latency = histogram([100, 200, 700, 800, 900]);
    const interval = buildInterval(spec("tcp_rr"), from, to);
    expect(interval.transactions).toEqual({ count: 3, perSecond: 3 });
    expect(interval.latency).toMatchObject({ kind: "rtt", count: 3, minNs: 700, meanNs: 800, p50Ns: 800, maxNs: 900 });
    expect(interval.latency).not.toHaveProperty("hdr");
    expect(buildInterval(spec("tcp_crr"), from, to).latency?.kind).toBe("transaction");
  });

  it("has TCP_INFO of the sending host, what grows counted from the interval's start", () => {
    const summary = (changes: Partial<TcpSummary>): TcpSummary => ({ flows: 2, ...tcpInfo(), ...changes });
    const from = point(1e9, {});
    from.local.tcp = summary({ retransmits: 3, busyNs: 1e9, rwndLimitedNs: 5e8, sndbufLimitedNs: 1, rttNs: 1000 });
    const to = point(
      2e9,
      {},
      { remote: { windowNs: 2e9, bytesReceived: 0, bytesSent: 0, tcp: summary({ flows: 9 }) } },
    );
    to.local.tcp = summary({ retransmits: 10, busyNs: 3e9, rwndLimitedNs: 6e8, sndbufLimitedNs: 1, rttNs: 2000 });
    expect(buildInterval(spec("tcp_stream"), from, to).tcpInfo).toEqual(
      summary({ retransmits: 7, busyNs: 2e9, rwndLimitedNs: 1e8, sndbufLimitedNs: 0, rttNs: 2000 }),
    );
    // The first interval starts where the window opened and everything is zero.
    expect(buildInterval(spec("tcp_rr"), point(0, {}), to).tcpInfo?.retransmits).toBe(10);
    expect(buildInterval(spec("tcp_maerts"), from, to).tcpInfo?.flows).toBe(9);
    expect(buildInterval(spec("tcp_crr"), point(0, {}), point(1e9, {}))).not.toHaveProperty("tcpInfo");
  });

  it("has no rates where no time passed", () => {
    expect(buildInterval(spec("tcp_rr"), point(0, {}), point(0, {}))).toEqual({ startNs: 0, durationNs: 0 });
    expect(buildInterval(spec("tcp_stream"), point(0, {}), point(0, {}))).toEqual({ startNs: 0, durationNs: 0 });
  });
});
