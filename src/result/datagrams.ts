/** What became of the datagrams of a test over UDP; docs/udp.md has the definitions. */
import { type TestName, isUdp } from "../options/spec.js";
import { compact } from "./compact.js";
import type { Result } from "./model.js";
import { tally } from "./rates.js";
import type { EndReport, FlowDatagrams, RawRun } from "./raw.js";

/**
 * Of those that the client sent within its window. UDP_STREAM: what its receiver never saw, undefined where that did not tell; where the
 * network made two of one, the other's loss does not show. UDP_RR: requests given up.
 */
export function lostOf(test: TestName, local: FlowDatagrams, remote: FlowDatagrams | undefined): number | undefined {
  if (test === "udp_rr") return local.lost;
  return remote && Math.max(0, local.sent - remote.marked);
}

/** Payload of each datagram of UDP_STREAM. */
export function sizeOf({ total: { bytesSent, datagrams } }: EndReport): number | undefined {
  return datagrams === undefined || datagrams.sent === 0 ? undefined : bytesSent / datagrams.sent;
}

export function datagramsOf({ spec: { test }, local, remote }: RawRun): Result["datagrams"] {
  const sent = local.counters.datagrams;
  if (!isUdp(test) || sent === undefined || local.windowNs === 0) return undefined;
  const received = remote?.counters.datagrams;
  const stream = test === "udp_stream";
  const lost = lostOf(test, sent, received);
  return compact({
    sizeBytes: stream ? sizeOf(local) : undefined,
    sent: sent.sent,
    sentPerSecond: tally(sent.sent, local.windowNs)?.perSecond,
    received: stream ? received?.received : undefined,
    receivedPerSecond: stream && received ? tally(received.received, remote.windowNs)?.perSecond : undefined,
    lost,
    lostPct: lost === undefined || sent.sent === 0 ? undefined : (lost / sent.sent) * 100,
    late: stream ? undefined : sent.late,
    refused: sent.refused,
    receiverDrops: received?.dropped,
  });
}
