/** Bulk data and datagrams. */
import type { Table } from "../row.js";
import { BULK, HOUR, KIB, MIB, MS, S, SENDS } from "./words.js";

export const transferRows = {
  /** Bytes, or "128K"; "auto" = whichever of several sizes moves most in short probes before the run. */
  sendSize: {
    kind: "size",
    auto: 0,
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
  /** Bytes, or "512K". */
  recvSize: {
    kind: "size",
    field: "recvSizeBytes",
    flags: "--recv-size <bytes>",
    default: 512 * KIB,
    min: 1,
    max: 64 * MIB,
    commands: BULK,
    help: "bytes asked of the kernel per receive",
  },
  /** Bytes, or "256K"; "auto" = about what a millisecond brings; 0 = whatever has come. */
  rxLowat: {
    kind: "size",
    field: "rxLowatBytes",
    flags: "--rx-lowat <bytes>",
    auto: null,
    default: null,
    defaultText: "auto (about what a millisecond brings)",
    min: 1,
    max: 64 * MIB,
    orZero: "off",
    commands: BULK,
    help: "SO_RCVLOWAT of the receiver: it is woken when so much has come, for fewer and larger receives; 0: for whatever has come",
  },
  /** Bytes, or "128K"; 0 = as the kernel has it. */
  notsentLowat: {
    kind: "size",
    field: "notsentLowatBytes",
    flags: "--notsent-lowat <bytes>",
    default: 0,
    defaultText: "0 (net.ipv4.tcp_notsent_lowat)",
    min: 1,
    max: 1024 * MIB,
    orZero: "default",
    commands: BULK,
    help: "TCP_NOTSENT_LOWAT of the sender: its kernel takes no more while so much waits to be sent",
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
    orZero: "off",
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
    help: "how the sender avoids copying: MSG_ZEROCOPY (with engine uring SEND_ZC) or sendfile",
  },
  /** `trunc` discards in the kernel; `zerocopy` maps the kernel's pages. */
  rx: {
    kind: "choice",
    field: "rx",
    flags: "--rx <mode>",
    default: "copy",
    choices: ["copy", "trunc", "zerocopy"],
    commands: BULK,
    help: "what the receiver does with data: copy it out, discard it in the kernel (MSG_TRUNC), or map its pages (TCP_ZEROCOPY_RECEIVE)",
  },
} as const satisfies Table;
