import { plainAddress } from "../../control/addresses.js";
import type { Loop, NativePlan } from "../../native/index.js";
import { initialBuffers } from "../socket-buffers.js";
import { addressBytes } from "../wire/addresses.js";
import { encode } from "../wire/fields.js";
import { DIRECTION, FAMILY, FLAG, PROTOCOL, SOCKET_TYPE, TYPE, omniRequest } from "../wire/omni.js";
import type { Settings, SideSettings, TestKind } from "./settings.js";

/** Numeric ends of the data connection. */
export interface DataEnds {
  address: string;
  /** "" lets the kernel choose. */
  source: string;
}

const LOOPS: Readonly<Record<TestKind, Loop>> = { send: "send", receive: "receive", rr: "rr", crr: "crr" };
const FALLBACK_BYTES = 4096;
const SETUP_MS = 30_000;

export interface Sizes {
  sendBytes: number;
  recvBytes: number;
  sendWidth: number;
  recvWidth: number;
}

/** Sizes that this end uses for its sends and receives, chosen as netperf chooses them; 0 where it does not do the one or the other. */
export function localSizes({ kind, local }: Settings): Sizes {
  const requests = kind === "rr" || kind === "crr";
  if (requests) return { sendBytes: 0, recvBytes: 0, sendWidth: local.sendWidth || 1, recvWidth: local.recvWidth || 1 };
  const buffers = initialBuffers(local);
  const width = (asked: number, bytes: number, buffer: number): number =>
    asked > 0 ? asked : Math.max(2, Math.floor(buffer / bytes) + 1);
  if (kind === "send") {
    const sendBytes = local.sendBytes > 0 ? local.sendBytes : buffers.sndbufBytes || FALLBACK_BYTES;
    return { sendBytes, recvBytes: 0, sendWidth: width(local.sendWidth, sendBytes, buffers.sndbufBytes), recvWidth: 0 };
  }
  const recvBytes = local.recvBytes > 0 ? local.recvBytes : buffers.rcvbufBytes || FALLBACK_BYTES;
  return { sendBytes: 0, recvBytes, sendWidth: 0, recvWidth: width(local.recvWidth, recvBytes, buffers.rcvbufBytes) };
}

function direction(kind: TestKind): number {
  if (kind === "send") return DIRECTION.receive;
  return kind === "receive" ? DIRECTION.transmit : DIRECTION.receive | DIRECTION.transmit;
}

/** `dataPort`: the one asked for, or in later iterations the one that the server used before. */
export function omniRequestFor(settings: Settings, ends: DataEnds, dataPort: number): Buffer {
  const { kind, local, remote, length } = settings;
  const requests = kind === "rr" || kind === "crr";
  const sizes = localSizes(settings);
  const flags =
    (settings.routing ? FLAG.routing : 0) |
    (settings.noDelay ? FLAG.noDelay : 0) |
    (kind === "crr" ? FLAG.connection : 0) |
    (settings.measureRemoteCpu ? FLAG.measureCpu : 0) |
    (settings.keepAlive ? FLAG.keepAlive : 0);
  return encode(omniRequest, TYPE.omniRequest, remote.cpu, {
    sendBufSize: remote.sndbufBytes,
    sendSize: remote.sendBytes,
    sendAlignment: remote.sendAlign,
    sendOffset: remote.sendOffset,
    sendWidth: sizes.sendWidth,
    requestSize: requests ? settings.requestBytes : -1,
    recvBufSize: remote.rcvbufBytes,
    recvSize: remote.recvBytes,
    recvAlignment: remote.recvAlign,
    recvOffset: remote.recvOffset,
    recvWidth: sizes.recvWidth,
    responseSize: requests ? settings.responseBytes : -1,
    flags: flags >>> 0,
    // The wire knows whole seconds; the client's own clock ends the test exactly.
    testLength: length.limit > 0 ? -length.limit : Math.ceil(length.seconds),
    ...{ sendDirtyCount: -1, recvDirtyCount: -1, recvCleanCount: -1 },
    dataPort,
    family: ends.address.includes(":") ? FAMILY.ipv6 : FAMILY.ipv4,
    socketType: SOCKET_TYPE.stream,
    protocol: PROTOCOL.tcp,
    direction: direction(kind),
    localPort: local.dataPort,
    intervalBurst: remote.intervalBurst,
    intervalUsecs: remote.intervalBurst > 0 ? remote.intervalUsecs || 1000 : remote.intervalUsecs,
    localAddress: settings.dataSource === "" ? Buffer.alloc(16) : addressBytes(ends.source),
    serverAddress: settings.dataHost === "" ? Buffer.alloc(16) : addressBytes(ends.address),
    socketPrio: remote.prio,
    socketTos: remote.tos,
    congestion: remote.congestion,
    fillFile: remote.fillFile,
  });
}

function positive(bytes: number): number {
  return Math.min(2 ** 30, Math.max(0, bytes));
}

export function clientPlan(settings: Settings, ends: DataEnds, port: number, timeCalls: boolean): NativePlan {
  const { kind, local, length } = settings;
  const sizes = localSizes(settings);
  const fixed = kind !== "crr" && local.dataPort !== 0;
  return {
    role: "client",
    loop: LOOPS[kind],
    engine: "block",
    flows: 1,
    cpus: [local.cpu],
    address: plainAddress(ends.address),
    port,
    addresses: ends.source === "" ? [] : [ends.source],
    localPorts: fixed ? [local.dataPort, local.dataPort] : settings.portRange,
    cookie: new Uint8Array(16),
    ...buffersOf(local),
    noDelay: settings.noDelay,
    congestion: local.congestion,
    mssBytes: settings.mssBytes,
    sendSizeBytes: sizes.sendBytes || 1,
    recvSizeBytes: sizes.recvBytes || 1,
    requestBytes: settings.requestBytes,
    responseBytes: settings.responseBytes,
    burst: settings.burst,
    coalesce: false,
    ratePerSecond: 0,
    spacing: "poisson",
    bandwidthBitsPerSecond: 0,
    zerocopy: "off",
    rx: "copy",
    rxLowatBytes: 0,
    close: "server",
    setupTimeoutMs: SETUP_MS,
    foreign: { limit: kind === "receive" ? 0 : length.limit, tos: local.tos, timeCalls },
  };
}

function buffersOf({ sndbufBytes, rcvbufBytes }: SideSettings): { sndbufBytes: number; rcvbufBytes: number } {
  return { sndbufBytes: positive(sndbufBytes), rcvbufBytes: positive(rcvbufBytes) };
}
