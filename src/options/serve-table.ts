import { DEFAULT_PORT } from "./default-port.js";
import type { Table } from "./row.js";

const MS = 1_000_000;
const HOUR = 3_600_000 * MS;
const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const SERVER = ["server"] as const;

/** Options of a server. */
export const serveTable = {
  /** Address or name to listen on; "" = every address. */
  host: {
    kind: "host",
    field: "host",
    flags: "--host <address>",
    default: "",
    defaultText: "every address",
    commands: SERVER,
    help: "address to listen on",
  },
  /** Control port; 0 = ephemeral. */
  port: {
    kind: "count",
    field: "port",
    flags: "-p, --port <n>",
    default: DEFAULT_PORT,
    min: 0,
    max: 65_535,
    commands: SERVER,
    help: "control port, 0 for an ephemeral one",
  },
  /** Port of the tests' own connections; 0 = an ephemeral one per session. */
  dataPort: {
    kind: "count",
    field: "dataPort",
    flags: "--data-port <n>",
    default: 0,
    defaultText: "0 (ephemeral)",
    min: 0,
    max: 65_535,
    commands: SERVER,
    help: "one fixed port for the tests' own connections, for firewalls; then one session at a time",
  },
  /** "2-5,8", or numbers. */
  cpus: {
    kind: "cpus",
    field: "cpus",
    flags: "--cpus <list>",
    default: null,
    defaultText: "spread over the allowed CPUs",
    commands: SERVER,
    help: "CPUs that workers are pinned to, such as 2-5,8",
  },
  /** Sessions at a time. */
  maxSessions: {
    kind: "count",
    field: "maxSessions",
    flags: "--max-sessions <n>",
    default: 64,
    min: 1,
    max: 10_000,
    commands: SERVER,
    help: "sessions at a time",
  },
  /** Of them for clients with one address. */
  maxSessionsPerClient: {
    kind: "count",
    field: "maxSessionsPerClient",
    flags: "--max-sessions-per-client <n>",
    default: null,
    defaultText: "as many as --max-sessions",
    min: 1,
    max: 10_000,
    commands: SERVER,
    help: "sessions at a time of clients with the same address",
  },
  /** Flows per session. */
  maxFlows: {
    kind: "count",
    field: "maxFlows",
    flags: "--max-flows <n>",
    default: 16_384,
    min: 1,
    max: 1_000_000,
    commands: SERVER,
    help: "flows per session",
  },
  /** Longest test, warm-up included. Seconds, or "1h". */
  maxDuration: {
    kind: "duration",
    field: "maxDurationNs",
    flags: "--max-duration <time>",
    default: HOUR,
    min: MS,
    max: 169 * HOUR,
    commands: SERVER,
    help: "longest test that is accepted, warm-up included",
  },
  /** Bits per second, or "1G"; 0 = no limit. */
  maxBandwidth: {
    kind: "bitRate",
    field: "maxBandwidthBitsPerSecond",
    flags: "--max-bandwidth <bits/s>",
    default: 0,
    defaultText: "0 (no limit)",
    min: 1000,
    max: 100_000_000_000_000,
    orZero: "off",
    commands: SERVER,
    help: "payload per session in each direction: bulk tests must be paced by --bandwidth within it, and a session that moves more is ended",
  },
  /** Bytes, or "512M". */
  maxMemory: {
    kind: "size",
    field: "maxMemoryBytes",
    flags: "--max-memory <bytes>",
    default: 2 * GIB,
    min: MIB,
    max: 1024 * GIB,
    commands: SERVER,
    help: "buffers per session, of its workers and of its sockets where the client sets their size",
  },
  /** CIDRs or addresses of clients that may come. */
  allow: {
    kind: "cidrs",
    field: "allow",
    flags: "--allow <cidrs>",
    default: [],
    defaultText: "everyone",
    commands: SERVER,
    help: "clients that may come, such as 10.0.0.0/8,fd00::/8",
  },
  /** File of a secret that clients must know. */
  tokenFile: {
    kind: "file",
    field: "tokenFile",
    flags: "--token-file <file>",
    default: "",
    defaultText: "none",
    commands: SERVER,
    help: "secret, at least 16 bytes, - for stdin: serve only clients that prove that they know it, and prove the same to them",
  },
  /** PEM file of the server's certificate. */
  tlsCert: {
    kind: "file",
    field: "tlsCert",
    flags: "--tls-cert <file>",
    default: "",
    defaultText: "none",
    commands: SERVER,
    help: "certificate (PEM): speak TLS on the control port, and nothing else; the test's own connections stay plain",
  },
  /** PEM file of its key. */
  tlsKey: {
    kind: "file",
    field: "tlsKey",
    flags: "--tls-key <file>",
    default: "",
    defaultText: "none",
    commands: SERVER,
    help: "key of --tls-cert (PEM)",
  },
  /** PEM file of certificates that vouch for clients. */
  tlsCa: {
    kind: "file",
    field: "tlsCa",
    flags: "--tls-ca <file>",
    default: "",
    defaultText: "no certificates asked for",
    commands: SERVER,
    help: "serve only clients that show a certificate which these (PEM) vouch for",
  },
  /** Clients of netperf, who know nothing of tokens. */
  allowNetperf: {
    kind: "flag",
    field: "allowNetperf",
    flags: "--allow-netperf",
    default: false,
    commands: SERVER,
    help: "serve netperf's clients as well where others must prove themselves; netperf's protocol knows no proof",
  },
  /** Seconds, or "10m"; 0 = never. */
  idleExit: {
    kind: "duration",
    field: "idleExitNs",
    flags: "--idle-exit <time>",
    default: 0,
    defaultText: "0 (never)",
    min: MS,
    max: 169 * HOUR,
    orZero: "off",
    commands: SERVER,
    help: "end when there has been no session for so long",
  },
  /** End after one session. */
  once: {
    kind: "flag",
    field: "once",
    flags: "--once",
    default: false,
    commands: SERVER,
    help: "end after one session",
  },
} as const satisfies Table;
