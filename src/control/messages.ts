import { type ObjectOf, type Shape, ShapeError, array, boolean, integer, object, optional, string } from "./shape.js";

/** Number of this protocol; both ends must speak the same. */
export const PROTOCOL = 1;
/** Most source addresses that a client may declare. */
export const MAX_SOURCES = 64;

/** Longest name, code or address on the wire. */
const NAME = string(128);
/** Longest text meant for people. */
const TEXT = string(4096);
const PORT = integer(1, 65_535);
/** What no shape here looks into: `src/run` checks a spec, `src/result` a report. */
const opaque: Shape<unknown> = (value) => value;

const hello = {
  protocol: integer(),
  /** Absent from another protocol's hello, perhaps: only `protocol` is fixed for all time. */
  version: optional(NAME),
  /** The kernel's boot id; equal on both ends when they share one machine. */
  bootId: optional(NAME),
  /** 32 random bytes in hexadecimal, from an end that has a token. */
  nonce: optional(NAME),
};

const error = {
  code: NAME,
  message: TEXT,
  option: optional(NAME),
  retryAfterMs: optional(integer()),
  syscall: optional(NAME),
  errno: optional(integer()),
  address: optional(NAME),
};

/** HMAC-SHA-256 in hexadecimal. */
const proof = { proof: NAME };

const fromClient = {
  hello,
  prove: proof,
  setup: {
    /** A ResolvedSpec. */
    spec: opaque,
    /** Numeric addresses that the client's connections come from, beside the control connection's own. */
    sources: array(NAME, MAX_SOURCES),
  },
  go: {},
  open: {},
  sample: {},
  close: {},
  finish: {
    /** The client's user wanted no more of the test; else it ran to its end. */
    aborted: optional(boolean),
  },
  ping: {},
};

const tcpSummary = object({
  flows: integer(1),
  rttNs: integer(),
  rttvarNs: integer(),
  minRttNs: integer(),
  retransmits: integer(),
  cwndPackets: integer(),
  mssBytes: integer(),
  deliveryRateBitsPerSecond: integer(),
  busyNs: integer(),
  rwndLimitedNs: integer(),
  sndbufLimitedNs: integer(),
});

const fromServer = {
  hello,
  proven: proof,
  /** Ends a session that never began. */
  refuse: error,
  prepared: {
    dataPort: PORT,
    /** 16 bytes as 32 hexadecimal digits. */
    cookie: string(32),
    engine: NAME,
    workers: integer(1),
    /** The CPU of each worker, -1 = unpinned. */
    cpus: array(integer(-1), 1_000_000),
  },
  ready: {},
  going: {},
  opened: {},
  /** `tcp` where the server sends (MAERTS). */
  sampled: { windowNs: integer(), bytesSent: integer(), bytesReceived: integer(), tcp: optional(tcpSummary) },
  closed: {},
  /** `end`: the server's EndReport. */
  report: { end: opaque },
  /** Ends a session that had begun. `end` where something was measured. */
  fail: { ...error, end: optional(opaque) },
  ping: {},
};

type Union<T extends Record<string, Parameters<typeof object>[0]>> = {
  [K in keyof T]: { type: K } & ObjectOf<T[K]>;
}[keyof T];

export type ClientMessage = Union<typeof fromClient>;
export type ServerMessage = Union<typeof fromServer>;

const typed = object({ type: NAME });

function decoder<T extends Record<string, Parameters<typeof object>[0]>>(table: T): (value: unknown) => Union<T> {
  const shapes = new Map(Object.entries(table).map(([type, fields]) => [type, object(fields)]));
  return (value) => {
    const { type } = typed(value, "");
    const shape = shapes.get(type);
    if (shape === undefined) throw new ShapeError("message: unknown type");
    return { type, ...shape(value, type) } as Union<T>;
  };
}

/** Both throw ShapeError for anything that is no message of that side. */
export const decodeClientMessage = decoder(fromClient);
export const decodeServerMessage = decoder(fromServer);
