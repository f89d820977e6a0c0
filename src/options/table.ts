import { DEFAULT_PORT } from "./default-port.js";
import type { Table } from "./row.js";

export { accessTable } from "./access-table.js";
export { serveTable } from "./serve-table.js";

const S = 1_000_000_000;
const MS = 1_000_000;
const HOUR = 3600 * S;
const KIB = 1024;
const MIB = KIB * KIB;

const BULK = ["stream", "maerts"] as const;
const CONNECTIONS = ["crr", "cc"] as const;
const TCP = [...BULK, "rr", ...CONNECTIONS] as const;
const ALL = [...TCP, "udp-stream", "udp-rr"] as const;
const SENDS = [...BULK, "udp-stream"] as const;
const EXCHANGES = ["rr", "udp-rr"] as const;
const REQUESTS = ["rr", "crr", "udp-rr"] as const;
const TRANSACTIONS = ["rr", ...CONNECTIONS, "udp-rr"] as const;

/**
 * Options of a run, in the order in which help shows them. Types, flags, help, the README's table and validation derive from
 * these rows. The bound on `flows` is generous on purpose: what a server accepts is its own limit.
 */
export const runTable = {
  /** Seconds, or "500ms", "1m30s". */
  duration: {
    kind: "duration",
    field: "durationNs",
    flags: "-l, --duration <time>",
    default: 10 * S,
    min: MS,
    max: 168 * HOUR,
    commands: ALL,
    help: "length of the measured window",
  },
  /** Seconds, or "500ms", "1m30s". */
  warmup: {
    kind: "duration",
    field: "warmupNs",
    flags: "--warmup <time>",
    default: S,
    min: 0,
    max: HOUR,
    commands: ALL,
    help: "traffic before the window that counts for nothing",
  },
  /** Seconds, or "500ms"; 0 = no intervals. */
  interval: {
    kind: "duration",
    field: "intervalNs",
    flags: "-i, --interval <time>",
    default: 0,
    defaultText: "1s on the command line, 0 in code",
    min: 10 * MS,
    max: HOUR,
    orZero: true,
    commands: ALL,
    help: "time between live figures, 0 for none; given on the command line, a line is printed for each",
  },
  /** Rate that CPU use is scaled to: bits (STREAM, MAERTS), transactions (RR) or connections (CRR, CC) per second; 0 = the test's own. */
  cpuAt: {
    kind: "rate",
    field: "cpuAtPerSecond",
    flags: "--cpu-at <rate>",
    default: 0,
    defaultText: "100G bits, 1M transactions or 250k connections per second",
    min: 1,
    max: 1_000_000_000_000_000,
    orZero: true,
    commands: ALL,
    help: "rate at which normalised CPU is stated: bits, transactions or connections per second",
  },
  /** Runs of which the result is made. */
  runs: {
    kind: "count",
    field: "runs",
    flags: "--runs <n>",
    default: null,
    defaultText: "1; with --until-ci 30",
    min: 1,
    max: 1000,
    commands: ALL,
    help: "repeat the test and give means with their confidence interval; with --until-ci at most so often",
  },
  /** Percent of the mean, or "2%"; 0 = not asked for. */
  untilCi: {
    kind: "percent",
    field: "untilCiPct",
    flags: "--until-ci <percent>",
    default: 0,
    defaultText: "0 (not asked for)",
    min: 0.1,
    max: 50,
    orZero: true,
    commands: ALL,
    help: "repeat the test, at least 3 times, until the mean's 95 % confidence interval is within this much of it, such as 2%",
  },
  /** Look for the highest figure: short probes choose what was not given. */
  best: {
    kind: "flag",
    field: "best",
    flags: "--best",
    default: false,
    commands: ALL,
    help: "look for the highest figure: short probes before the run choose engine, sizes, receive mode, congestion control and placement, as far as they were not given",
  },
  /** Connections alive at a time, or sockets of UDP. */
  flows: {
    kind: "count",
    field: "flows",
    flags: "-P, --flows <n>",
    default: 1,
    min: 1,
    max: 1_000_000,
    commands: ALL,
    help: "connections (UDP: sockets) alive at a time; the server's own limit may be lower",
  },
  /** Native threads, each pinned to one CPU. */
  threads: {
    kind: "count",
    field: "threads",
    flags: "--threads <n>",
    default: null,
    defaultText: "automatic",
    min: 1,
    max: 4096,
    commands: ALL,
    help: "native worker threads of the client, each pinned to one CPU",
  },
  /** "2-5,8", or numbers; "numa:0", "nic:eth0". */
  cpus: {
    kind: "cpus",
    field: "cpus",
    flags: "--cpus <list>",
    default: null,
    defaultText: "spread over the allowed CPUs",
    commands: ALL,
    help: "CPUs that the client's workers are pinned to, such as 2-5,8; numa:N: some of that node; nic:INTERFACE: some near that card and away from its interrupts",
  },
  /** "2-5,8", or numbers; "numa:0", "nic:eth0", as the server's host has them. */
  serverCpus: {
    kind: "cpus",
    field: "serverCpus",
    flags: "--server-cpus <list>",
    default: null,
    defaultText: "the server chooses",
    commands: ALL,
    help: "CPUs that the server's workers are pinned to; numa:N and nic:INTERFACE are the server's own",
  },
  /** `block`: one flow per worker; `epoll`, `spin` (never sleeps) and `uring` (io_uring): many. */
  engine: {
    kind: "choice",
    field: "engine",
    flags: "--engine <name>",
    default: "auto",
    choices: ["auto", "block", "epoll", "spin", "uring"],
    commands: ALL,
    help: "how workers perform their socket I/O: block (one flow per worker), epoll, spin (never sleeps) or uring (io_uring)",
  },
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
    orZero: true,
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
  /** Bytes, or "128K"; "auto" = whichever of several sizes moves most in short probes before the run. */
  sendSize: {
    kind: "size",
    auto: true,
    field: "sendSizeBytes",
    flags: "--send-size <bytes>",
    default: 128 * KIB,
    defaultFor: { "udp-stream": 0 },
    defaultText: "128K; udp-stream: auto (what fits the path in one packet)",
    min: 1,
    max: 64 * MIB,
    commands: SENDS,
    help: "bytes handed to the kernel per send, auto: short probes before the run choose from 64K to 1M; udp-stream: of a datagram",
  },
  /** Bytes, or "128K". */
  recvSize: {
    kind: "size",
    field: "recvSizeBytes",
    flags: "--recv-size <bytes>",
    default: 128 * KIB,
    min: 1,
    max: 64 * MIB,
    commands: BULK,
    help: "bytes asked of the kernel per receive",
  },
  /** Bytes, or "512K"; 0 = whatever has come. */
  rxLowat: {
    kind: "size",
    field: "rxLowatBytes",
    flags: "--rx-lowat <bytes>",
    default: 0,
    defaultText: "0 (whatever has come)",
    min: 1,
    max: 64 * MIB,
    orZero: true,
    commands: BULK,
    help: "SO_RCVLOWAT of the receiver: it is woken when so much has come, for fewer and larger receives",
  },
  /** Bits per second of all flows together, or "100M"; 0 = as fast as it goes. */
  bandwidth: {
    kind: "bitRate",
    field: "bandwidthBitsPerSecond",
    flags: "--bandwidth <bits/s>",
    default: 0,
    defaultText: "0 (as fast as it goes)",
    min: 1000,
    max: 100_000_000_000_000,
    orZero: true,
    commands: SENDS,
    help: "payload that all flows together send at most, spaced evenly",
  },
  /** Datagrams per system call. */
  batch: {
    kind: "count",
    field: "batch",
    flags: "--batch <n>",
    default: 1,
    min: 1,
    max: 64,
    commands: ["udp-stream"],
    help: "datagrams (with --gso trains of them) per system call, on both ends (sendmmsg, recvmmsg)",
  },
  /** The sender's kernel cuts trains of up to 64 KiB into datagrams. */
  gso: {
    kind: "flag",
    field: "gso",
    flags: "--gso",
    default: false,
    commands: ["udp-stream"],
    help: "let the sender's kernel or card cut trains of datagrams (UDP_SEGMENT)",
  },
  /** The receiver's kernel hands over trains of datagrams. */
  gro: {
    kind: "flag",
    field: "gro",
    flags: "--gro",
    default: false,
    commands: ["udp-stream"],
    help: "let the receiver's kernel hand over trains of datagrams (UDP_GRO)",
  },
  /** Seconds, or "50ms". */
  retryAfter: {
    kind: "duration",
    field: "retryAfterNs",
    flags: "--retry-after <time>",
    default: S,
    min: MS,
    max: HOUR,
    commands: ["udp-rr"],
    help: "a request that has not been answered by then is lost, and the flow sends another",
  },
  /** How the sender avoids copying. */
  zerocopy: {
    kind: "choice",
    field: "zerocopy",
    flags: "--zerocopy <mode>",
    default: "off",
    choices: ["off", "msg", "sendfile"],
    commands: BULK,
    help: "how the sender avoids copying: MSG_ZEROCOPY or sendfile",
  },
  /** `trunc` discards in the kernel. */
  rx: {
    kind: "choice",
    field: "rx",
    flags: "--rx <mode>",
    default: "copy",
    choices: ["copy", "trunc"],
    commands: BULK,
    help: "what the receiver does with data: copy it out, or discard it in the kernel (MSG_TRUNC)",
  },
  /** Bytes, or "4M"; 0 = kernel autotuning. */
  sndbuf: {
    kind: "size",
    field: "sndbufBytes",
    flags: "--sndbuf <bytes>",
    default: 0,
    defaultText: "0 (kernel autotuning)",
    min: 1,
    max: 1024 * MIB,
    orZero: true,
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
    orZero: true,
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
    orZero: true,
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
