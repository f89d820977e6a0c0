/** Options of sockets, addresses and ports. */
import { DEFAULT_PORT } from "../default-port.js";
import type { Table } from "../row.js";
import { ALL, CONNECTIONS, MIB, TCP } from "./words.js";

export const socketRows = {
  /** Bytes, or "4M"; 0 = kernel autotuning. */
  sndbuf: {
    kind: "size",
    field: "sndbufBytes",
    flags: "--sndbuf <bytes>",
    default: 0,
    defaultText: "0 (kernel autotuning)",
    min: 1,
    max: 1024 * MIB,
    orZero: "default",
    commands: ALL,
    help: "SO_SNDBUF on both ends",
  },
  /** Bytes, or "4M"; 0 = kernel autotuning. */
  rcvbuf: {
    kind: "size",
    field: "rcvbufBytes",
    flags: "--rcvbuf <bytes>",
    default: 0,
    defaultText: "0 (kernel autotuning)",
    min: 1,
    max: 1024 * MIB,
    orZero: "default",
    commands: ALL,
    help: "SO_RCVBUF on both ends",
  },
  /** TCP_NODELAY. */
  noDelay: {
    kind: "onOff",
    field: "noDelay",
    flags: "--no-delay <on|off>",
    default: true,
    // Bulk data is better served by Nagle's algorithm (RFC 896), which netperf and iperf3 leave on: it fills segments.
    defaultFor: { stream: false, maerts: false },
    defaultText: "off for stream and maerts, else on",
    commands: TCP,
    help: "TCP_NODELAY on both ends",
  },
  /** Name as in net.ipv4.tcp_available_congestion_control. */
  congestion: {
    kind: "congestion",
    field: "congestion",
    flags: "--congestion <name>",
    default: "",
    defaultText: "the system's",
    commands: TCP,
    help: "congestion control on both ends, such as cubic or bbr",
  },
  /** Bytes; 0 = the kernel's choice. */
  mss: {
    // Bounds of TCP_MAXSEG: TCP_MIN_MSS and MAX_TCP_WINDOW in the kernel's include/net/tcp.h.
    kind: "count",
    field: "mssBytes",
    flags: "--mss <bytes>",
    default: 0,
    defaultText: "0 (the kernel's choice)",
    min: 88,
    max: 32_767,
    orZero: "default",
    commands: TCP,
    help: "TCP_MAXSEG on both ends",
  },
  /** Local addresses, used in turn. */
  bind: {
    kind: "addresses",
    field: "bind",
    flags: "--bind <addresses>",
    default: [],
    defaultText: "the kernel's choice",
    commands: ALL,
    help: "local addresses of the client's flows, used in turn, separated by commas",
  },
  /** "20000-29999", or both ends. */
  localPorts: {
    kind: "portRange",
    field: "localPorts",
    flags: "--local-ports <low-high>",
    default: null,
    defaultText: "the kernel's choice",
    commands: CONNECTIONS,
    help: "source ports of the client, walked explicitly",
  },
  /** Control port of the server. */
  port: {
    kind: "count",
    field: "port",
    flags: "-p, --port <n>",
    default: DEFAULT_PORT,
    min: 1,
    max: 65_535,
    commands: ALL,
    help: "control port of the server",
  },
  /** Port of the server for the test's own connections; 0 = ephemeral. */
  dataPort: {
    kind: "count",
    field: "dataPort",
    flags: "--data-port <n>",
    default: 0,
    defaultText: "0 (ephemeral)",
    min: 0,
    max: 65_535,
    commands: ALL,
    help: "port of the server for the test's own connections",
  },
  /** IP version to reach the server with. */
  family: {
    kind: "choice",
    field: "family",
    flags: "-4, -6",
    default: "any",
    choices: ["any", "ipv4", "ipv6"],
    switches: { "-4": "ipv4", "-6": "ipv6" },
    commands: ALL,
    help: "reach the server over this IP version only",
  },
} as const satisfies Table;
