/** From the raw figures of both ends to the result. Every figure is derived in this room: reporters do no arithmetic. */
import { isBulk, makesConnections } from "../options/spec.js";
import { compact } from "./compact.js";
import { datagramsOf } from "./datagrams.js";
import { cpuSection } from "./efficiency.js";
import { flowResults, incomingCpus } from "./flows.js";
import { latencySummary } from "./latency.js";
import type { Result } from "./model.js";
import { byDirection, tally, volume } from "./rates.js";
import type { EndReport, RawRun } from "./raw.js";
import { deriveWarnings } from "./warnings.js";

function throughput(raw: RawRun): Result["throughput"] {
  const { sender, receiver } = byDirection<EndReport>(raw.spec, raw);
  const goodput = receiver && volume(receiver.counters.bytesReceived, receiver.windowNs);
  const sent = sender && volume(sender.counters.bytesSent, sender.windowNs);
  return goodput || sent ? compact({ ...goodput, sender: sent }) : undefined;
}

function connections({ local }: RawRun): Result["connections"] {
  const counted = tally(local.counters.connections, local.windowNs);
  return counted && { ...counted, errors: local.counters.connectErrors };
}

/** Of all workers or none: a list that left some out would be read as if it told of the others. */
function memoryNodes({ memoryNodes: nodes = [], workers }: EndReport): number[] | undefined {
  return workers > 0 && nodes.length === workers && nodes.every((node) => node >= 0) ? nodes : undefined;
}

function workers(end: EndReport): Result["workers"]["local"] {
  return compact({
    count: end.workers,
    cpus: end.cpus.filter((cpu) => cpu >= 0),
    memoryNodes: memoryNodes(end),
    busyCores: end.windowNs > 0 ? end.workerCpuNs / end.windowNs : undefined,
    incoming: incomingCpus(end.flows),
  });
}

/** The same view of both ends; remote is absent when its report never came. */
function both<View>({ local, remote }: RawRun, view: (end: EndReport) => View): { local: View; remote?: View } {
  return remote === undefined ? { local: view(local) } : { local: view(local), remote: view(remote) };
}

/** What the test measured. */
function measures(raw: RawRun) {
  const { spec, local } = raw;
  const crr = makesConnections(spec.test);
  return {
    throughput: isBulk(spec.test) ? throughput(raw) : undefined,
    transactions: isBulk(spec.test) ? undefined : tally(local.counters.transactions, local.windowNs),
    openLoop: local.backlog === undefined ? undefined : { backlog: local.backlog },
    datagrams: datagramsOf(raw),
    connections: crr ? connections(raw) : undefined,
    latency: latencySummary(crr ? "transaction" : "rtt", local.latency),
    connectLatency: latencySummary("connect", local.connectLatency),
    requestLatency: latencySummary("request", local.requestLatency),
  };
}

/**
 * The result of a run: completed, or whatever was measured until it was aborted or failed. STREAM's goodput needs the receiver's
 * report; where that never came only `throughput.sender` is there.
 */
export function buildResult(raw: RawRun): Result {
  const { spec, local, remote } = raw;
  const measured = measures(raw);
  const rate = measured.throughput?.bitsPerSecond ?? measured.transactions?.perSecond;
  return compact({
    schema: "cnb-load/result/1",
    state: raw.state,
    test: spec.test,
    spec,
    startedAt: raw.startedAt,
    error: raw.state === "failed" ? raw.error : undefined,
    window: compact({ durationNs: local.windowNs, remoteDurationNs: remote?.windowNs }),
    engine: both(raw, (end) => end.engine),
    workers: both(raw, workers),
    ...measured,
    cpu: cpuSection(spec, rate, { local: local.cpu, remote: remote?.cpu }),
    network: compact({ local: local.network, remote: remote?.network }),
    tcpInfo: byDirection<EndReport>(spec, raw).sender?.tcp,
    flows: flowResults(spec, local.flows, remote?.flows),
    zerocopy: byDirection<EndReport>(spec, raw).sender?.zerocopy,
    rxZerocopy: byDirection<EndReport>(spec, raw).receiver?.rxZerocopy,
    socket: both(raw, (end) => end.socket),
    buffers: both(raw, (end) => end.buffers),
    totals: both(raw, (end) => end.total),
    intervals: raw.intervals,
    warnings: raw.warnings.concat(deriveWarnings(raw)),
    host: both(raw, (end) => end.host),
    profile: raw.profile,
  });
}
