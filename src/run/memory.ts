import { CnbLoadError } from "../errors.js";
import type { Loop, NativePlan } from "../native/index.js";
import { formatSize } from "../options/sizes.js";
import { type ReadText, wholeNumber } from "../result/text.js";

/** For each of the datagrams, or trains of them, that one call may bring or send (native/engine/plan.h). */
const DATAGRAM_ROOM_BYTES = 64 * 1024;
/** Sends in flight that a flow with zero-copy keeps buffers for (native/io/zerocopy.h). */
const ZEROCOPY_SENDS = 64;
/** The kernel takes the double of what SO_SNDBUF and SO_RCVBUF ask for (socket(7)). */
const KERNEL_FACTOR = 2;

/**
 * Throws ERR_LIMIT where the buffers of a server's half would take more memory than one session is granted: those of its workers, and those of
 * its sockets where the client sets their size. Before anything is allocated.
 */
export function checkMemory(plan: NativePlan, mostBytes: number, read: ReadText): void {
  const workers = plan.cpus.length;
  const each = workerBytes(plan);
  const socket = socketBytes(plan, read);
  const bytes = workers * each + plan.flows * socket;
  if (bytes <= mostBytes) return;
  const parts = [`${workers} workers need ${formatSize(each)} each`];
  if (socket > 0) parts.push(`sockets of ${plan.flows} flows ${formatSize(socket)} each`);
  const limit = `this server grants a session ${formatSize(mostBytes)} of buffers (--max-memory)`;
  throw new CnbLoadError("ERR_LIMIT", `${limit}; ${parts.join(", ")}`);
}

function workerBytes(plan: NativePlan): number {
  const message = plan.requestBytes + plan.responseBytes;
  const trains = plan.udp?.gso === true ? Math.max(plan.sendSizeBytes, DATAGRAM_ROOM_BYTES) : plan.sendSizeBytes;
  // The pages that are mapped are the stack's own, and no longer count as the socket's.
  const received = plan.rx === "zerocopy" ? 2 * plan.recvSizeBytes : plan.recvSizeBytes;
  const sizes: Record<Loop, number> = {
    send: plan.zerocopy === "msg" ? plan.sendSizeBytes * ZEROCOPY_SENDS : trains,
    receive: plan.udp === undefined ? received : plan.udp.batch * DATAGRAM_ROOM_BYTES,
    rr: message,
    crr: message,
  };
  return sizes[plan.loop];
}

/** Nobody gets more than the system's own limits, whatever is asked for. */
function socketBytes({ sndbufBytes, rcvbufBytes }: NativePlan, read: ReadText): number {
  const granted = (asked: number, name: string): number =>
    Math.min(asked, wholeNumber(read(`/proc/sys/net/core/${name}`)) ?? asked);
  return KERNEL_FACTOR * (granted(sndbufBytes, "wmem_max") + granted(rcvbufBytes, "rmem_max"));
}
