/** What does the work, and where. */
import type { Table } from "../row.js";
import { ALL } from "./words.js";

export const workerRows = {
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
} as const satisfies Table;
