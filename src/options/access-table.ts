import type { RunCommand, Table } from "./row.js";

const ALL = ["stream", "maerts", "rr", "crr", "cc", "udp-stream", "udp-rr"] as const satisfies readonly RunCommand[];

/** How a client shows a server who it is, and has the server show the same. None of it leaves this host or stands in a result. */
export const accessTable = {
  /** File of a secret that the server knows as well. */
  tokenFile: {
    kind: "file",
    field: "tokenFile",
    flags: "--token-file <file>",
    default: "",
    defaultText: "none",
    commands: ALL,
    help: "secret shared with the server, at least 16 bytes, - for stdin; each end proves to the other that it knows it, and it is never sent",
  },
  /** TLS with the system's roots. */
  tls: {
    kind: "flag",
    field: "tls",
    flags: "--tls",
    default: false,
    commands: ALL,
    help: "speak TLS on the control connection, and accept a server whose certificate the system's roots vouch for",
  },
  /** PEM file of certificates. */
  tlsCa: {
    kind: "file",
    field: "tlsCa",
    flags: "--tls-ca <file>",
    default: "",
    defaultText: "the system's roots",
    commands: ALL,
    help: "speak TLS, and accept a server that these certificates (PEM) vouch for",
  },
  /** PEM file of the client's own certificate. */
  tlsCert: {
    kind: "file",
    field: "tlsCert",
    flags: "--tls-cert <file>",
    default: "",
    defaultText: "none",
    commands: ALL,
    help: "speak TLS, and show the server this certificate (PEM)",
  },
  /** PEM file of its key. */
  tlsKey: {
    kind: "file",
    field: "tlsKey",
    flags: "--tls-key <file>",
    default: "",
    defaultText: "none",
    commands: ALL,
    help: "key of --tls-cert (PEM)",
  },
  /** Name in the server's certificate. */
  tlsName: {
    kind: "host",
    field: "tlsName",
    flags: "--tls-name <name>",
    default: "",
    defaultText: "HOST",
    commands: ALL,
    help: "name or address that the server's certificate must be for, where it is another one than HOST",
  },
} as const satisfies Table;
