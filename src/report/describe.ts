/** What was run: the lines above the figures. */
import { formatCpuList } from "../options/cpu-lists.js";
import { formatDuration } from "../options/durations.js";
import { isBulk, isUdp } from "../options/spec.js";
import type { HostContext, Result } from "../result/model.js";
import { formatRuns } from "./repeat.js";
import { formatBitRate, formatBytes, formatCount, formatSeconds } from "./units.js";

const CLOSERS = { server: "the server closes first", client: "the client closes first", reset: "the client resets" };

export function formatFlows(flows: number): string {
  return flows === 1 ? "1 flow" : `${flows} flows`;
}

/** "tcp_rr to 10.0.0.2: 32 flows, 10.0 s" with what became of it. */
export function describeRun({ test, spec, state, window, repeat }: Result): string {
  const seconds = formatSeconds(window.durationNs);
  const length = repeat === undefined ? seconds : `${formatRuns(repeat.runs)}, ${seconds} in all`;
  const outcome = { completed: length, aborted: `aborted after ${length}`, failed: `failed after ${length}` }[state];
  return `${test} to ${spec.host}: ${formatFlows(spec.flows)}, ${outcome}`;
}

export function describeSetup(result: Result): [string, string][] {
  const pairs: [string, string][] = [
    ["test", describeTest(result)],
    ["client", describeEnd(result, "local")],
  ];
  if (result.host.remote !== undefined) pairs.push(["server", describeEnd(result, "remote")]);
  pairs.push(["sockets", describeSocket(result)]);
  return pairs;
}

function describeTest(result: Result): string {
  const { spec, buffers } = result;
  const warmup = `warm-up ${formatDuration(spec.warmupNs)}`;
  if (spec.test === "tcp_cc") return `${CLOSERS[spec.close]}, ${warmup}`;
  if (spec.test === "udp_stream") return `${describeDatagrams(result)}, ${warmup}`;
  if (!isBulk(spec.test)) {
    const sizes = `request ${formatBytes(spec.requestBytes)}, response ${formatBytes(spec.responseBytes)}`;
    const most = spec.ratePerSecond > 0 ? "at most " : "";
    const detail =
      spec.test === "tcp_crr"
        ? `${CLOSERS[spec.close]}${spec.fastOpen ? ", fast open" : ""}${spec.deferAccept ? ", deferred accept" : ""}`
        : `${most}${spec.burst + 1} in flight per flow${spec.coalesce ? ", sent together" : ""}`;
    const patience = spec.test === "udp_rr" ? `, lost after ${formatDuration(spec.retryAfterNs)}` : "";
    return `${sizes}, ${detail}${patience}, ${warmup}`;
  }
  const sender = spec.test === "tcp_stream" ? buffers.local : buffers.remote;
  const unsent =
    spec.notsentLowatBytes > 0 ? ` (while less than ${formatBytes(spec.notsentLowatBytes)} wait to be sent)` : "";
  const sizes = `send size ${formatBytes(spec.sendSizeBytes)}${unsent}, receive size ${formatBytes(spec.recvSizeBytes)}`;
  const pages = sender === "huge" ? "huge pages" : "ordinary pages";
  const lowat =
    spec.rxLowatBytes !== null && spec.rxLowatBytes > 0 ? ` (woken for ${formatBytes(spec.rxLowatBytes)})` : "";
  return `${sizes}, ${pages}, zero-copy ${spec.zerocopy}, receive ${spec.rx}${lowat}${describePace(spec)}, ${warmup}`;
}

function describePace({ bandwidthBitsPerSecond }: Result["spec"]): string {
  return bandwidthBitsPerSecond > 0 ? `, paced to ${formatBitRate(bandwidthBitsPerSecond)}` : "";
}

function describeDatagrams({ spec, datagrams }: Result): string {
  const bytes = datagrams?.sizeBytes ?? spec.sendSizeBytes;
  const size = bytes === 0 ? "datagrams that fit the path" : `datagrams of ${formatCount(bytes)} B`;
  const trains = [...(spec.gso ? ["GSO"] : []), ...(spec.gro ? ["GRO"] : [])].map((name) => `, ${name}`).join("");
  return `${size}, ${spec.batch} per call${trains}${describePace(spec)}`;
}

function describeEnd(result: Result, end: "local" | "remote"): string {
  const host = result.host[end];
  const workers = result.workers[end];
  const parts: string[] = [];
  if (host !== undefined) parts.push(host.hostname, host.kernel);
  if (host?.interface !== undefined) parts.push(describeInterface(host));
  if (workers !== undefined) {
    const count = `${workers.count} ${workers.count === 1 ? "worker" : "workers"}`;
    const place = workers.cpus.length === 0 ? "unpinned" : `on CPU ${formatCpuList(workers.cpus)}`;
    parts.push(`engine ${result.engine[end] ?? "unknown"}, ${count} ${place}`, ...describeIncoming(workers));
  }
  return parts.join(", ");
}

/** Only where packets come in on other CPUs than those of the workers. */
function describeIncoming({ cpus, incoming = [] }: Result["workers"]["local"]): string[] {
  const elsewhere = incoming.map(({ cpu }) => cpu);
  if (cpus.length === 0 || elsewhere.every((cpu) => cpus.includes(cpu))) return [];
  return [`packets came in on CPU ${formatCpuList(elsewhere)}`];
}

function describeInterface({ interface: name = "", mtuBytes, qdisc, rpsCpus = [] }: HostContext): string {
  const facts = [
    ...(mtuBytes === undefined ? [] : [`MTU ${mtuBytes}`]),
    ...(qdisc === undefined ? [] : [`qdisc ${qdisc}`]),
    ...(rpsCpus.length === 0 ? [] : [`RPS to CPU ${formatCpuList(rpsCpus)}`]),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(", ")})`;
}

function describeSocket({ spec, socket: { local } }: Result): string {
  const buffers = `SO_SNDBUF ${formatBytes(local.sndbufBytes)}, SO_RCVBUF ${formatBytes(local.rcvbufBytes)}`;
  if (isUdp(spec.test)) {
    return `UDP, at most ${formatCount(local.mssBytes)} B in one packet, ${buffers} as the client's kernel reports them`;
  }
  const noDelay = `TCP_NODELAY ${spec.noDelay ? "on" : "off"}`;
  return `${local.congestion}, MSS ${local.mssBytes}, ${noDelay}, ${buffers} as the client's kernel reports them`;
}
