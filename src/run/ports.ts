import { CnbLoadError } from "../errors.js";
import { type ResolvedSpec, makesConnections } from "../options/spec.js";
import type { Warning } from "../result/model.js";
import { type ReadText, words } from "../result/text.js";

/** TCP_TIMEWAIT_LEN of the kernel (include/net/tcp.h). */
const TIME_WAIT_S = 60;
/** Rate that a port budget should carry, connections per second. */
const COMFORTABLE_RATE = 20_000;
/** Walked when the client closes first: as many ports as can be had without those of common services. */
const WIDE_RANGE: [number, number] = [5000, 65_535];
/** Default of net.ipv4.ip_local_port_range, which IPv6 uses, too. */
const KERNEL_RANGE: [number, number] = [32_768, 60_999];

export interface PortBudget {
  /** What the client walks explicitly, or null to let the kernel choose. */
  localPorts: [number, number] | null;
  /** Pairs of source address and port. */
  capacity: number;
  warning: Warning | null;
}

function kernelRange(read: ReadText): [number, number] {
  const [low, high] = words(read("/proc/sys/net/ipv4/ip_local_port_range")).map(Number);
  return Number.isInteger(low) && Number.isInteger(high) ? [Number(low), Number(high)] : KERNEL_RANGE;
}

/**
 * The client's source ports. Whoever closes first keeps the connection in TIME_WAIT for 60 s; only when that is the client does a
 * connection hold its source port after its end. A port that was bound explicitly, as those of the range are, may be taken over from
 * TIME_WAIT at once where the connection used TCP timestamps (tcp_twsk_unique in the kernel); without them ports set the rate.
 * Throws ERR_PORTS_EXHAUSTED where there are fewer ports than flows.
 */
export function portBudget(spec: ResolvedSpec, read: ReadText): PortBudget {
  const clientCloses = makesConnections(spec.test) && spec.close === "client";
  const localPorts = spec.localPorts ?? (clientCloses ? WIDE_RANGE : null);
  const [low, high] = localPorts ?? kernelRange(read);
  const addresses = Math.max(1, spec.bind.length);
  const ports = high - low + 1;
  const capacity = ports * addresses;
  const supply = `${ports} source ports (${low}-${high}) on ${addresses} ${addresses === 1 ? "address" : "addresses"}`;
  if (capacity < spec.flows) {
    const remedy = "give more --bind addresses or widen net.ipv4.ip_local_port_range";
    throw new CnbLoadError("ERR_PORTS_EXHAUSTED", `flows: ${spec.flows} flows need more than ${supply}; ${remedy}`, {
      option: "flows",
    });
  }
  const holds = clientCloses && read("/proc/sys/net/ipv4/tcp_timestamps")?.trim() === "0";
  return { localPorts, capacity, warning: holds ? budgetWarning(spec, capacity, supply) : null };
}

function budgetWarning(spec: ResolvedSpec, capacity: number, supply: string): Warning | null {
  const runS = (spec.warmupNs + spec.durationNs) / 1e9;
  const rate = Math.floor(capacity / Math.min(TIME_WAIT_S, runS));
  if (rate >= COMFORTABLE_RATE) return null;
  return {
    code: "PORT_BUDGET",
    message: `The client closes first and TCP timestamps are off here, which keeps each source port for ${TIME_WAIT_S} s: ${supply} carry ${rate} connections/s over this run`,
    advice: "Set net.ipv4.tcp_timestamps, give more --bind addresses, or let the server close first (--close server)",
  };
}
