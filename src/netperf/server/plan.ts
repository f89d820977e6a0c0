import { constants } from "node:os";
import { plainAddress } from "../../control/addresses.js";
import type { NativePlan, NativeSocketOptions } from "../../native/index.js";
import { PLAIN_UDP } from "../datagrams.js";
import { type Interval, bitRate } from "../pacing.js";
import { initialBuffers } from "../socket-buffers.js";
import { socketOptions } from "../socket-options.js";
import { addressOf } from "../wire/addresses.js";
import { DIRECTION, FAMILY, FLAG, type OmniRequest, PROTOCOL } from "../wire/omni.js";
import { type Job, Refusal } from "./request.js";
import { admitMs } from "./served-test.js";

/** The addresses of the control connection's two ends, as Node gives them. */
export interface Ends {
  localAddress: string;
  remoteAddress: string;
}

/** Sizes of one side's sends and receives, as netserver picks them where the client leaves them open. */
const FALLBACK_BYTES = 4096;

/** Where to listen and who may come. */
interface Place {
  address: string;
  addresses: string[];
}

const WILDCARD = { 4: "0.0.0.0", 6: "::" } as const;

function familyOf(address: string): 4 | 6 {
  return address.includes(":") ? 6 : 4;
}

/**
 * netserver listens on every address and lets anybody in. Here flows come to the address that the client already talks to, and from the
 * address that it talks from, unless the request says otherwise (`-- -H`, `-- -L`, another family). Over another network the client's
 * address is known only if it was given; else anybody may take the one place that there is.
 */
function placeOf(request: OmniRequest, ends: Ends): Place {
  const local = plainAddress(ends.localAddress);
  const remote = plainAddress(ends.remoteAddress);
  const wanted = addressOf(request.serverAddress, request.family);
  const source = addressOf(request.localAddress, request.family);
  const family = request.family === FAMILY.unspecified ? familyOf(local) : request.family === FAMILY.ipv6 ? 6 : 4;
  const elsewhere = family !== familyOf(local) || (wanted !== "" && wanted !== local);
  const address = wanted === "" ? (family === familyOf(local) ? local : WILDCARD[family]) : wanted;
  if (source === "" && elsewhere) return { address, addresses: [] };
  return { address, addresses: source === "" || source === remote ? [remote] : [remote, source] };
}

/**
 * Datagrams say by themselves where they come from. They are answered to the one address that has shown that it receives, by its control
 * connection: else anybody could have this server send to anybody.
 */
function checkAnswers(job: Job, { addresses }: Place, { remoteAddress }: Ends): void {
  if (!job.udp || job.loop !== "rr") return;
  if (addresses.length === 1 && addresses[0] === plainAddress(remoteAddress)) return;
  throw new Refusal(constants.errno.EACCES, "UDP_RR is answered to the address of the control connection alone");
}

/** The same place by another name: an address that is this host's only by translation cannot be listened on. */
export function everywhere(plan: NativePlan): NativePlan {
  return { ...plan, address: WILDCARD[familyOf(plan.address)] };
}

/** A usable CPU that the client asked for (`-T`), or the server's own choice. netserver, too, ignores one that it cannot have. */
export function cpuFor(asked: number, allowed: readonly number[], otherwise: number): number {
  return allowed.includes(asked) ? asked : otherwise;
}

/** Throws Refusal. */
export function planOf(job: Job, request: OmniRequest, ends: Ends, cpu: number, dataPort: number): NativePlan {
  const port = dataPort === 0 ? request.dataPort : dataPort;
  if (port > 65_535) throw new Refusal(constants.errno.EINVAL, `data port ${port}: expected at most 65535`);
  const place = placeOf(request, ends);
  checkAnswers(job, place, ends);
  const sndbufBytes = Math.max(0, request.sendBufSize);
  const rcvbufBytes = Math.max(0, request.recvBufSize);
  const buffers = initialBuffers({ sndbufBytes, rcvbufBytes }, job.udp ? "udp" : "tcp");
  const sendSizeBytes = job.sendSizeBytes || buffers.sndbufBytes || FALLBACK_BYTES;
  return {
    role: "server",
    loop: job.loop,
    engine: "block",
    flows: 1,
    cpus: [cpu],
    ...place,
    port,
    localPorts: null,
    cookie: new Uint8Array(16),
    sndbufBytes: Math.min(sndbufBytes, 2 ** 30),
    rcvbufBytes: Math.min(rcvbufBytes, 2 ** 30),
    noDelay: (request.flags & FLAG.noDelay) !== 0,
    congestion: request.congestion,
    mssBytes: 0,
    udp: job.udp ? PLAIN_UDP : undefined,
    sendSizeBytes,
    recvSizeBytes: job.recvSizeBytes || buffers.rcvbufBytes || FALLBACK_BYTES,
    requestBytes: job.requestBytes,
    responseBytes: job.responseBytes,
    burst: 0,
    coalesce: false,
    ratePerSecond: 0,
    spacing: "poisson",
    bandwidthBitsPerSecond: job.loop === "send" ? bitRate(intervalOf(request), sendSizeBytes) : 0,
    zerocopy: "off",
    rx: job.loop === "receive" && request.recvAvoid !== 0 ? "trunc" : "copy",
    rxLowatBytes: 0,
    notsentLowatBytes: 0,
    close: "server",
    socketOptions: optionsOf(request),
    setupTimeoutMs: admitMs(job.seconds),
    foreign: {
      limit: job.loop === "send" || job.loop === "crr" ? job.limit : 0,
      tos: request.socketTos >= 0 && request.socketTos <= 255 ? request.socketTos : -1,
      timeCalls: false,
    },
  };
}

/** Of a sender: netserver lets the pace of a receiver end the test early, here it has none. */
export function intervalOf({ intervalBurst, intervalUsecs, direction }: OmniRequest): Interval {
  const sends = direction === DIRECTION.transmit;
  return sends ? { operations: intervalBurst, usecs: intervalUsecs } : { operations: 0, usecs: 0 };
}

function optionsOf({ flags, socketPrio, family, protocol }: OmniRequest): NativeSocketOptions {
  const asked = (flag: number): boolean => (flags & flag) !== 0;
  return socketOptions({
    keepAlive: asked(FLAG.keepAlive),
    routing: asked(FLAG.routing),
    prio: socketPrio,
    deferAccept: asked(FLAG.deferAccept) && protocol !== PROTOCOL.udp,
    pathMtu: asked(FLAG.pathMtu),
    ipv6: family === FAMILY.ipv6,
  });
}

/** Without a priority that this process may not set: netserver goes on, too, and says so. */
export function withoutPriority(plan: NativePlan): NativePlan {
  const { SO_PRIORITY: _priority, ...socketOptions } = plan.socketOptions ?? {};
  return { ...plan, socketOptions };
}
