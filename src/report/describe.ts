/** What was run: the lines above the figures. */
import { formatCpuList } from "../options/cpu-lists.js";
import { formatDuration } from "../options/durations.js";
import type { HostContext, Result } from "../result/model.js";
import { formatRuns } from "./repeat.js";
import { formatBitRate, formatBytes, formatSeconds } from "./units.js";

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

function describeTest({ spec, buffers }: Result): string {
  const warmup = `warm-up ${formatDuration(spec.warmupNs)}`;
  if (spec.test === "tcp_cc") return `${CLOSERS[spec.close]}, ${warmup}`;
  if (spec.test === "tcp_rr" || spec.test === "tcp_crr") {
    const sizes = `request ${formatBytes(spec.requestBytes)}, response ${formatBytes(spec.responseBytes)}`;
    const most = spec.ratePerSecond > 0 ? "at most " : "";
    const detail = spec.test === "tcp_crr" ? CLOSERS[spec.close] : `${most}${spec.burst + 1} in flight per flow`;
    return `${sizes}, ${detail}, ${warmup}`;
  }
  const sender = spec.test === "tcp_stream" ? buffers.local : buffers.remote;
  const sizes = `send size ${formatBytes(spec.sendSizeBytes)}, receive size ${formatBytes(spec.recvSizeBytes)}`;
  const pages = sender === "huge" ? "huge pages" : "ordinary pages";
  const paced = spec.bandwidthBitsPerSecond > 0 ? `, paced to ${formatBitRate(spec.bandwidthBitsPerSecond)}` : "";
  return `${sizes}, ${pages}, zero-copy ${spec.zerocopy}, receive ${spec.rx}${paced}, ${warmup}`;
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
    parts.push(`engine ${result.engine[end] ?? "unknown"}, ${count} ${place}`);
  }
  return parts.join(", ");
}

function describeInterface({ interface: name = "", mtuBytes, qdisc }: HostContext): string {
  const facts = [
    ...(mtuBytes === undefined ? [] : [`MTU ${mtuBytes}`]),
    ...(qdisc === undefined ? [] : [`qdisc ${qdisc}`]),
  ];
  return facts.length === 0 ? name : `${name} (${facts.join(", ")})`;
}

function describeSocket({ spec, socket: { local } }: Result): string {
  const buffers = `SO_SNDBUF ${formatBytes(local.sndbufBytes)}, SO_RCVBUF ${formatBytes(local.rcvbufBytes)}`;
  const noDelay = `TCP_NODELAY ${spec.noDelay ? "on" : "off"}`;
  return `${local.congestion}, MSS ${local.mssBytes}, ${noDelay}, ${buffers} as the client's kernel reports them`;
}
