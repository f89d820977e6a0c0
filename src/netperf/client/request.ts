import { plainAddress } from "../../control/addresses.js";
import type { Loop, NativeForeign, NativePlan } from "../../native/index.js";
import { initialBuffers } from "../socket-buffers.js";
import { addressBytes } from "../wire/addresses.js";
import { encode } from "../wire/fields.js";
import { PLAIN_UDP } from "../datagrams.js";
import { bitRate, operationRate } from "../pacing.js";
import { socketOptions } from "../socket-options.js";
import { DIRECTION, FAMILY, FLAG, PROTOCOL, SOCKET_TYPE, TYPE, omniRequest } from "../wire/omni.js";
import { type Settings, type SideSettings, type TestKind, hasTransactions } from "./settings.js";

/** Numeric ends of the data connection. */
export interface DataEnds {
  address: string;
  /** "" lets the kernel choose. */
  source: string;
}

const LOOPS: Readonly<Record<TestKind, Loop>> = { send: "send", receive: "receive", rr: "rr", crr: "crr", cc: "crr" };
const FALLBACK_BYTES = 4096;
const SETUP_MS = 30_000;
/** The most that a datagram of IPv4 carries. */
const MAX_DATAGRAM = 65_507;

export interface Sizes {
  sendBytes: number;
  recvBytes: number;
  sendWidth: number;
  recvWidth: number;
}

/** Sizes that this end uses for its sends and receives, chosen as netperf chooses them; 0 where it does not do the one or the other. */
export function localSizes({ kind, local, protocol }: Settings): Sizes {
  if (kind === "cc") return { sendBytes: 0, recvBytes: 0, sendWidth: local.sendWidth, recvWidth: local.recvWidth };
  if (hasTransactions(kind))
    return { sendBytes: 0, recvBytes: 0, sendWidth: local.sendWidth || 1, recvWidth: local.recvWidth || 1 };
  const buffers = initialBuffers(local, protocol);
  const width = (asked: number, bytes: number, buffer: number): number =>
    asked > 0 ? asked : Math.max(2, Math.floor(buffer / bytes) + 1);
  if (kind === "send") {
    const asked = local.sendBytes > 0 ? local.sendBytes : buffers.sndbufBytes || FALLBACK_BYTES;
    const sendBytes = protocol === "udp" ? Math.min(asked, MAX_DATAGRAM) : asked;
    const sendWidth = width(local.sendWidth, sendBytes, buffers.sndbufBytes);
    return { sendBytes, recvBytes: 0, sendWidth, recvWidth: local.recvWidth };
  }
  const recvBytes = local.recvBytes > 0 ? local.recvBytes : buffers.rcvbufBytes || FALLBACK_BYTES;
  const recvWidth = width(local.recvWidth, recvBytes, buffers.rcvbufBytes);
  return { sendBytes: 0, recvBytes, sendWidth: local.sendWidth, recvWidth };
}

const DIRECTIONS: Readonly<Record<TestKind, number>> = {
  send: DIRECTION.receive,
  receive: DIRECTION.transmit,
  rr: DIRECTION.receive | DIRECTION.transmit,
  crr: DIRECTION.receive | DIRECTION.transmit,
  cc: 0,
};

/** Unless -R says otherwise traffic may be routed, but for datagrams that nothing slows down. */
export function mayRoute({ routing, protocol, kind }: Settings): boolean {
  return routing ?? (protocol === "tcp" || hasTransactions(kind));
}

function flagsOf(settings: Settings): number {
  const connection = settings.kind === "crr" || settings.kind === "cc";
  const set: [boolean, number][] = [
    [mayRoute(settings), FLAG.routing],
    [settings.noDelay, FLAG.noDelay],
    [connection, FLAG.connection],
    [settings.measureRemoteCpu, FLAG.measureCpu],
    [settings.keepAlive, FLAG.keepAlive],
    [settings.packetInfo, FLAG.packetInfo],
    [settings.connectRemote, FLAG.connectDatagrams],
    [settings.deferAccept, FLAG.deferAccept],
    [settings.pathMtu, FLAG.pathMtu],
  ];
  return set.reduce((flags, [on, bit]) => (on ? flags | bit : flags), 0) >>> 0;
}

/** The wire knows whole seconds; the client's own clock ends the test exactly. */
export function wireLength({ length }: Settings): number {
  return length.limit > 0 ? -length.limit : Math.ceil(length.seconds);
}

/** `dataPort`: the one asked for, or in later iterations the one that the server used before. */
export function omniRequestFor(settings: Settings, ends: DataEnds, dataPort: number): Buffer {
  const { kind, protocol, local, remote } = settings;
  const requests = kind === "rr" || kind === "crr";
  const sizes = localSizes(settings);
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
    flags: flagsOf(settings),
    testLength: wireLength(settings),
    recvAvoid: Number(settings.copyAvoidance),
    sendAvoid: Number(settings.copyAvoidance),
    ...{ sendDirtyCount: -1, recvDirtyCount: -1, recvCleanCount: -1 },
    dataPort,
    family: familyOf(ends),
    socketType: protocol === "udp" ? SOCKET_TYPE.datagram : SOCKET_TYPE.stream,
    protocol: PROTOCOL[protocol],
    direction: DIRECTIONS[kind],
    localPort: local.dataPort,
    intervalBurst: remote.intervalBurst,
    intervalUsecs: remote.intervalUsecs,
    localAddress: settings.dataSource === "" ? Buffer.alloc(16) : addressBytes(ends.source),
    serverAddress: settings.dataHost === "" ? Buffer.alloc(16) : addressBytes(ends.address),
    socketPrio: remote.prio,
    socketTos: remote.tos,
    congestion: remote.congestion,
    fillFile: remote.fillFile,
  });
}

export function familyOf({ address }: DataEnds): number {
  return address.includes(":") ? FAMILY.ipv6 : FAMILY.ipv4;
}

function positive(bytes: number): number {
  return Math.min(2 ** 30, Math.max(0, bytes));
}

/** What a plan holds beside what the command line says. */
export type PlanExtras = Pick<NativeForeign, "timeCalls" | "payload">;

export function clientPlan(settings: Settings, ends: DataEnds, port: number, extras: PlanExtras): NativePlan {
  const { kind, protocol, local, length } = settings;
  const sizes = localSizes(settings);
  const connections = kind === "crr" || kind === "cc";
  const fixed = !connections && local.dataPort !== 0;
  const interval = { operations: local.intervalBurst, usecs: local.intervalUsecs };
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
    udp: protocol === "tcp" ? undefined : { ...PLAIN_UDP, retryTimeoutMs: settings.receiveTimeoutSeconds * 1000 },
    sendSizeBytes: sizes.sendBytes || 1,
    recvSizeBytes: sizes.recvBytes || 1,
    requestBytes: kind === "cc" ? 0 : settings.requestBytes,
    responseBytes: kind === "cc" ? 0 : settings.responseBytes,
    burst: settings.burst,
    coalesce: false,
    ratePerSecond: hasTransactions(kind) ? operationRate(interval) : 0,
    spacing: "constant",
    bandwidthBitsPerSecond: kind === "send" ? bitRate(interval, sizes.sendBytes) : 0,
    zerocopy: settings.sendfile ? "sendfile" : "off",
    rx: kind === "receive" && settings.copyAvoidance ? "trunc" : "copy",
    rxLowatBytes: 0,
    notsentLowatBytes: 0,
    // With nobody on the other side who knows netperf it is this one that closes.
    close: settings.control ? "server" : "client",
    socketOptions: localOptions(settings, ends),
    setupTimeoutMs: SETUP_MS,
    foreign: {
      limit: kind === "receive" ? 0 : length.limit,
      tos: local.tos,
      ...extras,
    },
  };
}

function localOptions(settings: Settings, ends: DataEnds): NonNullable<NativePlan["socketOptions"]> {
  const { protocol, keepAlive, pathMtu, cork, socketDebug, maxPacingRate, multicastTtl } = settings;
  const ipv6 = familyOf(ends) === FAMILY.ipv6;
  const routing = mayRoute(settings);
  return {
    ...socketOptions({ keepAlive, routing, prio: settings.local.prio, deferAccept: false, pathMtu, ipv6 }),
    ...(cork && protocol === "tcp" && { TCP_CORK: 1 }),
    ...(socketDebug && { SO_DEBUG: 1 }),
    ...(maxPacingRate > 0 && { SO_MAX_PACING_RATE: Math.min(maxPacingRate, 2 ** 31 - 1) }),
    ...(multicastTtl >= 0 && !ipv6 && { IP_MULTICAST_TTL: multicastTtl }),
  };
}

function buffersOf({ sndbufBytes, rcvbufBytes }: SideSettings): { sndbufBytes: number; rcvbufBytes: number } {
  return { sndbufBytes: positive(sndbufBytes), rcvbufBytes: positive(rcvbufBytes) };
}
