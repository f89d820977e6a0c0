import type { Loop, NativeAddon, NativeEngine, NativePlan, NativeSocketOptions, NativeUdp } from "../native/index.js";
import { type ResolvedSpec, type TestName, blockRefusal, isBulk, isUdp } from "../options/spec.js";
import { type CpuSupply, placeWorkers } from "./placement.js";

/** Up to here a bulk flow gets a thread of its own, however few CPUs there are: the threads mostly sleep in the kernel. */
const MAX_BULK_BLOCK_FLOWS = 64;
const SETUP_BASE_MS = 10_000;
const MAX_SETUP_MS = 600_000;
/** A client gives up this much earlier than the server: it knows which connection had no answer, the server only that some did not come. */
const CLIENT_LEAD_MS = 1000;

const LOOPS: Readonly<Record<TestName, { client: Loop; server: Loop }>> = {
  tcp_stream: { client: "send", server: "receive" },
  tcp_maerts: { client: "receive", server: "send" },
  tcp_rr: { client: "rr", server: "rr" },
  tcp_crr: { client: "crr", server: "crr" },
  tcp_cc: { client: "crr", server: "crr" },
  udp_stream: { client: "send", server: "receive" },
  udp_rr: { client: "rr", server: "rr" },
};

/** What decides on the engine and the number of workers. */
export interface CrewRequest {
  role: "client" | "server";
  spec: ResolvedSpec;
  cpus: Pick<CpuSupply, "wanted" | "allowed">;
  /** Of {@link engineRefusal}. */
  engineRefusal: string | null;
}

/** What a half needs to know beside the spec. */
export interface HalfRequest extends CrewRequest {
  cpus: CpuSupply;
  /** As in {@link NativePlan}. */
  address: string;
  port: number;
  addresses: string[];
  localPorts: [number, number] | null;
  cookie: Uint8Array;
}

/** Why the engine asked for cannot run this half on this host, or null where it can. */
export function engineRefusal(spec: ResolvedSpec, role: HalfRequest["role"], addon: NativeAddon): string | null {
  if (spec.engine !== "uring") return null;
  return addon.uringUnavailableReason(spec.zerocopy === "msg" && LOOPS[spec.test][role] === "send");
}

/** How long all flows may take to come up, ms: plenty for a slow network, and a little more for each flow. */
export function setupTimeoutMs(flows: number): number {
  return Math.min(MAX_SETUP_MS, SETUP_BASE_MS + flows);
}

/**
 * The engine of one half. `auto` means one blocking thread per flow where that is fastest: bulk tests up to 64 flows, RR and CRR up to
 * as many flows as CPUs; and epoll beyond, or where the engine `block` cannot carry the test. An engine that this host refuses gives way to
 * epoll, which carries whatever it would.
 */
export function chooseEngine(spec: ResolvedSpec, usableCpus: number, refusal: string | null): NativeEngine {
  if (spec.engine !== "auto") return refusal === null ? spec.engine : "epoll";
  const most = isBulk(spec.test) ? MAX_BULK_BLOCK_FLOWS : usableCpus;
  return spec.flows <= most && blockRefusal(spec) === null ? "block" : "epoll";
}

/** What one half is made of. */
export interface Crew {
  role: "client" | "server";
  loop: Loop;
  engine: NativeEngine;
  flows: number;
  workers: number;
  zerocopy: ResolvedSpec["zerocopy"];
}

/** `threads` is the client's; the server counts its own CPUs. */
export function chooseCrew({ role, spec: asked, cpus, engineRefusal }: CrewRequest): Crew {
  const spec = role === "client" ? asked : { ...asked, threads: null };
  const { flows, zerocopy } = spec;
  const usable = (cpus.wanted ?? cpus.allowed).length;
  const engine = chooseEngine(spec, usable, engineRefusal);
  const workers = engine === "block" ? flows : Math.min(flows, spec.threads ?? usable);
  return { role, loop: LOOPS[spec.test][role], engine, flows, workers, zerocopy };
}

/** The plan of one half. Throws ERR_INVALID_OPTION where CPUs were asked for that cannot be used. */
export function planHalf(request: HalfRequest): NativePlan {
  const { role, spec } = request;
  const { loop, engine, flows, workers } = chooseCrew(request);
  const exchanges = spec.test !== "tcp_cc";
  return {
    role,
    loop,
    engine,
    flows,
    cpus: placeWorkers(workers, request.cpus),
    address: request.address,
    port: request.port,
    addresses: request.addresses,
    localPorts: request.localPorts,
    cookie: request.cookie,
    sndbufBytes: spec.sndbufBytes,
    rcvbufBytes: spec.rcvbufBytes,
    noDelay: spec.noDelay,
    congestion: spec.congestion,
    mssBytes: spec.mssBytes,
    sendSizeBytes: spec.sendSizeBytes,
    recvSizeBytes: spec.recvSizeBytes,
    requestBytes: exchanges ? spec.requestBytes : 0,
    responseBytes: exchanges ? spec.responseBytes : 0,
    burst: spec.burst,
    coalesce: spec.coalesce,
    ratePerSecond: spec.ratePerSecond,
    spacing: spec.spacing,
    bandwidthBitsPerSecond: spec.bandwidthBitsPerSecond,
    zerocopy: spec.zerocopy,
    rx: spec.rx,
    rxLowatBytes: spec.rxLowatBytes ?? -1,
    notsentLowatBytes: spec.notsentLowatBytes,
    close: spec.close,
    socketOptions: socketOptionsOf(role, spec),
    udp: isUdp(spec.test) ? udpOf(spec) : undefined,
    setupTimeoutMs: setupTimeoutMs(spec.flows) - (role === "client" ? CLIENT_LEAD_MS : 0),
  };
}

/** Requests that a listener takes before their handshake is over; SYNs beyond those wait for it as ever. */
const FAST_OPENS = 4096;
/** Seconds for a request to come; the connection is accepted then in any case. */
const DEFER_S = 5;

function socketOptionsOf(role: HalfRequest["role"], { fastOpen, deferAccept }: ResolvedSpec): NativeSocketOptions {
  if (role === "client") return fastOpen ? { TCP_FASTOPEN_CONNECT: 1 } : {};
  return { ...(fastOpen && { TCP_FASTOPEN: FAST_OPENS }), ...(deferAccept && { TCP_DEFER_ACCEPT: DEFER_S }) };
}

function udpOf({ batch, gso, gro, retryAfterNs }: ResolvedSpec): NativeUdp {
  return { batch, gso, gro, retryTimeoutMs: Math.ceil(retryAfterNs / 1e6) };
}
