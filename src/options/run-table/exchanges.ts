/** Requests, responses and connections. */
import type { Table } from "../row.js";
import { CONNECTIONS, EXCHANGES, MIB, REQUESTS, TRANSACTIONS } from "./words.js";

export const exchangeRows = {
  /** Bytes, or "64K". */
  request: {
    kind: "size",
    field: "requestBytes",
    flags: "--request <bytes>",
    default: 1,
    min: 1,
    max: 64 * MIB,
    commands: REQUESTS,
    help: "size of a request",
  },
  /** Bytes, or "64K". */
  response: {
    kind: "size",
    field: "responseBytes",
    flags: "--response <bytes>",
    default: 1,
    min: 1,
    max: 64 * MIB,
    commands: REQUESTS,
    help: "size of a response",
  },
  /** Further requests in flight per flow beside the first. */
  burst: {
    kind: "count",
    field: "burst",
    flags: "--burst <n>",
    default: 0,
    min: 0,
    max: 65_535,
    commands: EXCHANGES,
    help: "further requests kept in flight per flow beside the first",
  },
  /** Messages of a flow that are due together go out in one send. */
  coalesce: {
    kind: "flag",
    field: "coalesce",
    flags: "--coalesce",
    default: false,
    commands: ["rr"],
    help: "hand messages of a flow that are due together to the kernel in one send, on both ends; without it each is a send of its own",
  },
  /** Transactions per second of all flows together, or "10k/s"; 0 = each upon the one before. */
  rate: {
    kind: "rate",
    field: "ratePerSecond",
    flags: "--rate <n/s>",
    default: 0,
    defaultText: "0 (each upon the answer to the one before)",
    min: 1,
    max: 1_000_000_000,
    orZero: "off",
    commands: TRANSACTIONS,
    help: "transactions begun per second, of all flows together, whatever becomes of them; latency counts from when each was due",
  },
  /** How the moments of `rate` follow one another. */
  spacing: {
    kind: "choice",
    field: "spacing",
    flags: "--spacing <name>",
    default: "poisson",
    choices: ["poisson", "constant"],
    commands: TRANSACTIONS,
    help: "how the transactions of --rate follow one another in each flow: at random like independent users, or evenly",
  },
  /** Which side closes first; `reset` = the client closes with RST. */
  close: {
    kind: "choice",
    field: "close",
    flags: "--close <side>",
    default: "server",
    choices: ["server", "client", "reset"],
    commands: CONNECTIONS,
    help: "which side closes a connection first (reset: the client, with a RST)",
  },
  /** TCP Fast Open (RFC 7413): from a client's second connection on the request travels with the SYN. */
  fastOpen: {
    kind: "flag",
    field: "fastOpen",
    flags: "--fast-open",
    default: false,
    commands: ["crr"],
    help: "send the request with the SYN (TCP Fast Open); the server's net.ipv4.tcp_fastopen must allow it",
  },
  /** The server is woken when the request is there, not when the connection is (TCP_DEFER_ACCEPT). */
  deferAccept: {
    kind: "flag",
    field: "deferAccept",
    flags: "--defer-accept",
    default: false,
    commands: ["crr"],
    help: "the server accepts a connection when its request is there (TCP_DEFER_ACCEPT)",
  },
} as const satisfies Table;
