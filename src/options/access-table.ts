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
} as const satisfies Table;
