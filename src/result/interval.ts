/** One interval of a run, from the live figures at its two ends. */
import { type ResolvedSpec, isBulk, makesConnections } from "../options/spec.js";
import { compact } from "./compact.js";
import { histogramBetween, latencyFigures } from "./latency.js";
import type { Interval } from "./model.js";
import { byDirection, tally, volume } from "./rates.js";
import type { IntervalPoint, TcpSummary } from "./raw.js";

interface Moment {
  windowNs: number;
  bytesSent: number;
  bytesReceived: number;
  tcp?: TcpSummary | undefined;
}

/** Both hosts at one moment. Where the window has only just opened, a server that was not asked has counted nothing either. */
const momentOf = ({ local, remote }: IntervalPoint): { local: Moment; remote: Moment | undefined } => ({
  local: { windowNs: local.windowNs, bytesSent: local.counters.bytesSent, bytesReceived: local.counters.bytesReceived },
  remote: remote ?? (local.windowNs === 0 ? { windowNs: 0, bytesSent: 0, bytesReceived: 0 } : undefined),
});

/** Each host's bytes over the time that passed on its own clock: the two snapshots of a moment are not simultaneous. */
function throughputBetween(spec: ResolvedSpec, from: IntervalPoint, to: IntervalPoint): Interval["throughput"] {
  const start = byDirection<Moment>(spec, momentOf(from));
  const end = byDirection<Moment>(spec, momentOf(to));
  const between = (direction: "sender" | "receiver", bytes: "bytesSent" | "bytesReceived") => {
    const [before, after] = [start[direction], end[direction]];
    return before && after && volume(Math.max(0, after[bytes] - before[bytes]), after.windowNs - before.windowNs);
  };
  const goodput = between("receiver", "bytesReceived");
  const sender = between("sender", "bytesSent");
  return goodput || sender ? compact({ ...goodput, sender }) : undefined;
}

/** What grows is counted from `from`, where the window opened when it is absent. */
function tcpBetween(spec: ResolvedSpec, from: IntervalPoint, to: IntervalPoint): TcpSummary | undefined {
  const of = (point: IntervalPoint): TcpSummary | undefined =>
    byDirection<{ tcp?: TcpSummary | undefined }>(spec, point).sender?.tcp;
  const [before, after] = [of(from), of(to)];
  if (after === undefined) return undefined;
  const grown = (name: "retransmits" | "busyNs" | "rwndLimitedNs" | "sndbufLimitedNs"): number =>
    Math.max(0, after[name] - (before?.[name] ?? 0));
  return {
    ...after,
    retransmits: grown("retransmits"),
    busyNs: grown("busyNs"),
    rwndLimitedNs: grown("rwndLimitedNs"),
    sndbufLimitedNs: grown("sndbufLimitedNs"),
  };
}

/**
 * The interval between two points of one window, `from` before `to`. Goodput needs the receiver's figures at both points (at the one where
 * the window opens they may be left out); latency needs the histogram at `to` (one that `from` lacks counts as empty).
 */
export function buildInterval(spec: ResolvedSpec, from: IntervalPoint, to: IntervalPoint): Interval {
  const durationNs = to.local.windowNs - from.local.windowNs;
  const histogram = to.local.latency && histogramBetween(from.local.latency, to.local.latency);
  const stream = isBulk(spec.test);
  return compact({
    startNs: from.local.windowNs,
    durationNs,
    throughput: stream ? throughputBetween(spec, from, to) : undefined,
    transactions: stream
      ? undefined
      : tally(to.local.counters.transactions - from.local.counters.transactions, durationNs),
    latency: stream ? undefined : latencyFigures(makesConnections(spec.test) ? "transaction" : "rtt", histogram),
    tcpInfo: tcpBetween(spec, from, to),
  });
}
