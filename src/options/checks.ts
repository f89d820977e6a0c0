import { isIP } from "node:net";
import { conflictingOption } from "./invalid.js";
import { type NamingStyle, isUdp, optionName } from "./names.js";
import { LEAST_RUNS_FOR_CI, repetitionOf } from "./repetition.js";
import type { ResolvedSpec } from "./resolved.js";
import { formatSize } from "./sizes.js";
import { runTable } from "./table.js";

/** One thread per flow: beyond this the kernel's scheduler is what would be measured. */
export const MAX_BLOCK_FLOWS = 1024;

/** What a blocking flow may have in flight in each direction before both ends could be stuck in send with full socket buffers. */
export const MAX_BLOCK_BURST_BYTES = 128 * 1024;

/** The kernel paces in whole bytes per second; a flow without any would never send. */
const LEAST_FLOW_BITS = 1000;

/** RFC 768 over IPv4. */
const MAX_DATAGRAM_BYTES = 65_507;

/** One byte tells this many requests and one more apart, answered ones that come late included. */
const MAX_ONE_BYTE_BURST = 127;

/** Keeps the result and the live stream of a run within bounds. */
const MAX_INTERVALS = 1_000_000;

type Key = keyof typeof runTable;
type Finding = { key: Key; message: string };

/** Why the `block` engine cannot carry a test, or null where it can. */
export function blockRefusal(spec: ResolvedSpec): Finding | null {
  const { flows, threads, burst } = spec;
  if (flows > MAX_BLOCK_FLOWS) {
    return {
      key: "flows",
      message: `engine block runs at most ${MAX_BLOCK_FLOWS} flows, got ${flows}; use engine epoll`,
    };
  }
  if (threads !== null && threads !== flows) {
    const counts = `got ${threads} for ${flows} ${flows === 1 ? "flow" : "flows"}`;
    return {
      key: "threads",
      message: `engine block runs one flow per thread, ${counts}; leave it out or use engine epoll`,
    };
  }
  const inFlightBytes = (burst + 1) * Math.max(spec.requestBytes, spec.responseBytes);
  if (spec.test === "tcp_rr" && burst > 0 && inFlightBytes > MAX_BLOCK_BURST_BYTES) {
    const most = formatSize(MAX_BLOCK_BURST_BYTES);
    return {
      key: "burst",
      message: `engine block keeps at most ${most} in flight per flow, got ${inFlightBytes} bytes (burst + 1 times the larger message), with which both ends could block in send; use engine epoll`,
    };
  }
  return null;
}

/** What the `uring` engine lacks, whether or not the host lets it run. */
function uringRefusal({ test, zerocopy, rx }: ResolvedSpec): Finding | null {
  if (isUdp(test)) {
    return { key: "engine", message: `uring does not carry UDP; ${test} runs with block, epoll or spin` };
  }
  if (zerocopy === "sendfile") {
    return { key: "zerocopy", message: "engine uring has no sendfile; use msg, or engine epoll or block" };
  }
  if (rx === "zerocopy") {
    return { key: "rx", message: "engine uring has no zero-copy receive, got zerocopy; use engine epoll or block" };
  }
  return null;
}

/** Throws for options that are each valid but do not go together. */
export function checkTogether(spec: ResolvedSpec, style: NamingStyle): void {
  const finding = findConflict(spec);
  if (finding !== null) throw conflictingOption(optionName(style, finding.key, runTable[finding.key]), finding.message);
}

function findConflict(spec: ResolvedSpec): Finding | null {
  const refusal = spec.engine === "block" ? blockRefusal(spec) : spec.engine === "uring" ? uringRefusal(spec) : null;
  if (refusal !== null) return refusal;
  if (spec.threads !== null && spec.threads > spec.flows) {
    return { key: "threads", message: `expected at most one per flow (${spec.flows}), got ${spec.threads}` };
  }
  if (spec.intervalNs > 0 && (spec.durationNs / spec.intervalNs) * repetitionOf(spec).most > MAX_INTERVALS) {
    return { key: "interval", message: `expected at most ${MAX_INTERVALS} intervals within all runs` };
  }
  if (spec.untilCiPct > 0 && spec.runs !== null && spec.runs < LEAST_RUNS_FOR_CI) {
    const text = `expected at least ${LEAST_RUNS_FOR_CI} where they end with a narrow interval, got ${spec.runs}`;
    return { key: "runs", message: text };
  }
  return (
    findIdle(spec) ??
    findDatagramConflict(spec) ??
    findPaceConflict(spec) ??
    findAddressConflict(spec) ??
    findPortConflict(spec)
  );
}

/** Options that say something of another one. */
function findIdle(spec: ResolvedSpec): Finding | null {
  const { coalesce, burst, ratePerSecond, bandwidthBitsPerSecond, rxLowatBytes, recvSizeBytes } = spec;
  if (spec.best && (ratePerSecond > 0 || bandwidthBitsPerSecond > 0)) {
    return { key: "best", message: "looks for the highest rate, and one was given" };
  }
  if (coalesce && ratePerSecond > 0) {
    return { key: "coalesce", message: "requests of a rate are sent when they are due, never together" };
  }
  if (coalesce && burst === 0) {
    return { key: "coalesce", message: "joins the messages of a burst, and none was given" };
  }
  if (rxLowatBytes !== null && rxLowatBytes > recvSizeBytes) {
    const sizes = `expected at most the size of a receive (${formatSize(recvSizeBytes)}), got ${formatSize(rxLowatBytes)}`;
    return { key: "rxLowat", message: sizes };
  }
  return null;
}

function findDatagramConflict(spec: ResolvedSpec): Finding | null {
  const { test, sendSizeBytes, requestBytes, responseBytes, burst } = spec;
  if (!isUdp(test)) return null;
  const sizes: readonly (readonly [Key, number])[] =
    test === "udp_stream"
      ? [["sendSize", sendSizeBytes]]
      : [
          ["request", requestBytes],
          ["response", responseBytes],
        ];
  const tooLarge = sizes.find(([, bytes]) => bytes > MAX_DATAGRAM_BYTES);
  if (tooLarge !== undefined) {
    const [key, bytes] = tooLarge;
    return { key, message: `expected at most ${MAX_DATAGRAM_BYTES} bytes, which one datagram carries, got ${bytes}` };
  }
  if (test === "udp_rr" && burst > MAX_ONE_BYTE_BURST && Math.min(requestBytes, responseBytes) === 1) {
    const text = `expected at most ${MAX_ONE_BYTE_BURST} with messages of one byte, which number the requests, got ${burst}`;
    return { key: "burst", message: text };
  }
  return null;
}

function findPaceConflict({ ratePerSecond, spacing, bandwidthBitsPerSecond, flows }: ResolvedSpec): Finding | null {
  if (ratePerSecond === 0 && spacing !== runTable.spacing.default) {
    return { key: "spacing", message: `${spacing} says how a rate is spaced, and none was given` };
  }
  const leastBits = flows * LEAST_FLOW_BITS;
  if (bandwidthBitsPerSecond > 0 && bandwidthBitsPerSecond < leastBits) {
    const text = `expected at least ${LEAST_FLOW_BITS} bits per second for each of ${flows} flows, got ${bandwidthBitsPerSecond}`;
    return { key: "bandwidth", message: text };
  }
  return null;
}

function findAddressConflict({ host, family, bind }: ResolvedSpec): Finding | null {
  const wanted = family === "any" ? isIP(host) : family === "ipv4" ? 4 : 6;
  if (isIP(host) !== 0 && isIP(host) !== wanted) {
    return { key: "family", message: `IPv${wanted} was asked for, but ${host} is an IPv${isIP(host)} address` };
  }
  const families = new Set(bind.map((address) => isIP(address)));
  if (families.size > 1) return { key: "bind", message: `expected addresses of one IP version, got ${bind.join(",")}` };
  const [bound] = families;
  if (bound !== undefined && wanted !== 0 && bound !== wanted) {
    return { key: "bind", message: `expected IPv${wanted} addresses as for the server, got ${bind.join(",")}` };
  }
  return null;
}

/** Every flow walks a share of the range of its own. */
function findPortConflict({ localPorts, flows }: ResolvedSpec): Finding | null {
  if (localPorts === null) return null;
  const ports = localPorts[1] - localPorts[0] + 1;
  if (ports >= flows) return null;
  return { key: "localPorts", message: `expected at least one port per flow (${flows}), got ${ports}` };
}
