import type { NativePlan } from "../../src/native/index.js";

/** Differs from cookie to cookie nowhere but here: both halves of a pair must know the same. */
export const COOKIE = Uint8Array.from({ length: 16 }, (_, index) => index * 7 + 1);

/** The server's half of an RR test over one loopback flow, or what the overrides make of it. */
export function serverPlan(overrides: Partial<NativePlan> = {}): NativePlan {
  return {
    role: "server",
    loop: "rr",
    engine: "block",
    flows: 1,
    cpus: [-1],
    address: "127.0.0.1",
    port: 0,
    addresses: [],
    localPorts: null,
    cookie: COOKIE,
    sndbufBytes: 0,
    rcvbufBytes: 0,
    noDelay: true,
    congestion: "",
    mssBytes: 0,
    sendSizeBytes: 128 * 1024,
    recvSizeBytes: 128 * 1024,
    requestBytes: 1,
    responseBytes: 1,
    burst: 0,
    coalesce: false,
    ratePerSecond: 0,
    spacing: "poisson",
    bandwidthBitsPerSecond: 0,
    zerocopy: "off",
    rx: "copy",
    rxLowatBytes: 0,
    notsentLowatBytes: 0,
    close: "server",
    setupTimeoutMs: 10_000,
    ...overrides,
  };
}

/** The client's half that belongs to a server's plan. */
export function clientPlan(server: NativePlan, port: number, overrides: Partial<NativePlan> = {}): NativePlan {
  const loop = server.loop === "receive" ? "send" : server.loop === "send" ? "receive" : server.loop;
  return { ...server, role: "client", loop, port, ...overrides };
}
