/** Limits of the process and of the kernel's TCP. */
import { wholeNumber, words } from "../result/text.js";
import { type Check, type Judgement, fine } from "./finding.js";
import type { Surroundings } from "./surroundings.js";

type Read = Surroundings["read"];

/** The largest number of flows that a server grants to a session by default, and what one half opens beside them. */
const [MANY_FLOWS, BESIDE_FLOWS] = [16_384, 64];
/** Zero-copy sends that a flow keeps in flight (native/io/zerocopy.h), and the default size of one. */
const [SENDS_PER_FLOW, SEND_BYTES] = [64, 128 * 1024];
/** A notification's share of optmem: SKB_TRUESIZE(0) of the kernel on 64 bits. */
const NOTIFICATION_BYTES = 576;
const CAP_IPC_LOCK = 14n;
const FEW_PORTS = 10_000;
/** The kernel's default since 5.4; the server asks for 16384 (native/core/socket.cc). */
const SHORT_QUEUE = 4096;
/** Connections of one minute at 4,000 per second, which conntrack still holds in TIME_WAIT. */
const SMALL_TABLE = 262_144;
const FULL_SHARE = 0.8;
/** Default maximum of tcp_wmem on all but tiny hosts. */
const SMALL_BUFFER = 4 * 1024 ** 2;
const SMALL_PRESSURE_PAGES = 16_384;

const number = (value: number): string => value.toLocaleString("en-US");
const mebibytes = (bytes: number): string => `${Number((bytes / 1024 ** 2).toFixed(1))} MiB`;
const unreadable = (what: string, remedy: string): Judgement => ({
  severity: "unknown",
  found: `${what} could not be read`,
  remedy,
});

const sysctl = (read: Read, name: string): number | undefined =>
  wholeNumber(read(`/proc/sys/${name.replaceAll(".", "/")}`));

/** Whole numbers of a sysctl that holds several; undefined unless all of `count` are there. */
function sysctls(read: Read, name: string, count: number): number[] | undefined {
  const values = words(read(`/proc/sys/${name.replaceAll(".", "/")}`)).map((word) => wholeNumber(word));
  const known = values.filter((value) => value !== undefined);
  return known.length === count && values.length === count ? known : undefined;
}

/** The soft limit of a line of /proc/self/limits; Infinity = unlimited. */
function softLimit(read: Read, name: string): number | undefined {
  const [, soft] = new RegExp(`^${name}\\s+(\\S+)`, "m").exec(read("/proc/self/limits") ?? "") ?? [];
  return soft === "unlimited" ? Infinity : wholeNumber(soft);
}

function hasCapability(read: Read, capability: bigint): boolean {
  const [, mask] = /^CapEff:\s+([0-9a-f]{1,16})$/m.exec(read("/proc/self/status") ?? "") ?? [];
  return mask !== undefined && ((BigInt(`0x${mask}`) >> capability) & 1n) === 1n;
}

function openFiles({ read }: Surroundings): Judgement {
  const limit = softLimit(read, "Max open files");
  if (limit === undefined) return unreadable("The limit of open files", "ulimit -n");
  if (limit === Infinity) return fine("not limited");
  const found = `${number(limit)}: up to ${number(Math.max(0, limit - BESIDE_FLOWS))} flows`;
  if (limit >= MANY_FLOWS + BESIDE_FLOWS) return fine(found);
  const remedy =
    "ulimit -Hn 65536; ulimit -n 65536  # as root; docker: --ulimit nofile=65536; systemd: LimitNOFILE=65536";
  return { severity: limit < 1024 ? "warning" : "notice", found, remedy };
}

function lockedMemory({ read }: Surroundings): Judgement {
  const limit = softLimit(read, "Max locked memory");
  if (limit === undefined) return unreadable("The limit of locked memory", "ulimit -l");
  if (limit === Infinity || hasCapability(read, CAP_IPC_LOCK)) return fine("not limited for this process");
  const flows = Math.floor(limit / (SENDS_PER_FLOW * SEND_BYTES));
  const found = `${mebibytes(limit)}: full zero-copy for ${number(flows)} ${flows === 1 ? "flow" : "flows"} of 128 KiB sends`;
  if (flows >= 64) return fine(found);
  const remedy = "ulimit -l unlimited  # as root; docker: --ulimit memlock=-1; systemd: LimitMEMLOCK=infinity";
  return { severity: flows === 0 ? "warning" : "notice", found, remedy };
}

function portRange({ read }: Surroundings): Judgement {
  const [low, high] = sysctls(read, "net.ipv4.ip_local_port_range", 2) ?? [];
  const remedy = 'sysctl -w net.ipv4.ip_local_port_range="10240 65535"';
  if (low === undefined || high === undefined || high < low) return unreadable("The range of source ports", remedy);
  const ports = high - low + 1;
  const found = `${number(ports)} source ports (${low} to ${high})`;
  return ports < FEW_PORTS ? { severity: "warning", found, remedy } : fine(found);
}

function tcpTimestamps({ read }: Surroundings): Judgement {
  const setting = sysctl(read, "net.ipv4.tcp_timestamps");
  const remedy = "sysctl -w net.ipv4.tcp_timestamps=1";
  if (setting === undefined) return unreadable("Whether TCP uses timestamps", "sysctl net.ipv4.tcp_timestamps");
  return setting === 0 ? { severity: "warning", found: "off", remedy } : fine("on");
}

function acceptQueue({ read }: Surroundings): Judgement {
  const limit = sysctl(read, "net.core.somaxconn");
  if (limit === undefined) return unreadable("The limit of accept queues", "sysctl net.core.somaxconn");
  const found = `queues of up to ${number(limit)} connections`;
  if (limit >= SHORT_QUEUE) return fine(found);
  return { severity: "warning", found, remedy: `sysctl -w net.core.somaxconn=16384` };
}

function conntrack({ read }: Surroundings): Judgement {
  const max = sysctl(read, "net.netfilter.nf_conntrack_max");
  const count = sysctl(read, "net.netfilter.nf_conntrack_count");
  if (max === undefined) return fine("connections are not tracked here");
  const found = `${count === undefined ? "an unknown number" : number(count)} of at most ${number(max)} connections tracked`;
  const remedy = `sysctl -w net.netfilter.nf_conntrack_max=${Math.max(1_048_576, max * 4)}`;
  if (count !== undefined && count > max * FULL_SHARE) return { severity: "severe", found, remedy };
  return max < SMALL_TABLE ? { severity: "warning", found, remedy } : { severity: "notice", found };
}

function tcpMemory({ read }: Surroundings): Judgement {
  const [low, pressure, high] = sysctls(read, "net.ipv4.tcp_mem", 3) ?? [];
  if (low === undefined || pressure === undefined || high === undefined) {
    return unreadable("TCP's share of memory", "sysctl net.ipv4.tcp_mem");
  }
  const [, used] = /^TCP:.*\bmem (\d+)/m.exec(read("/proc/net/sockstat") ?? "") ?? [];
  const pages = wholeNumber(used) ?? 0;
  const found = `${number(pages)} pages in use, pressure from ${number(pressure)} on, ${number(high)} at most`;
  const remedy = `sysctl -w net.ipv4.tcp_mem="${[low, pressure, high].map((value) => Math.max(value * 4, 65_536)).join(" ")}"`;
  if (pages >= pressure) return { severity: "severe", found, remedy };
  return pages >= low || pressure < SMALL_PRESSURE_PAGES ? { severity: "warning", found, remedy } : fine(found);
}

function tcpBuffers({ read }: Surroundings): Judgement {
  const [receive, send] = ["tcp_rmem", "tcp_wmem"].map((name) => sysctls(read, `net.ipv4.${name}`, 3)?.[2]);
  if (receive === undefined || send === undefined) {
    return unreadable("The limits of TCP's buffers", "sysctl net.ipv4.tcp_rmem net.ipv4.tcp_wmem");
  }
  const found = `grow to ${mebibytes(receive)} for receiving and ${mebibytes(send)} for sending`;
  if (Math.min(receive, send) >= SMALL_BUFFER) return fine(found);
  const remedy = 'sysctl -w net.ipv4.tcp_rmem="4096 131072 6291456" net.ipv4.tcp_wmem="4096 16384 4194304"';
  return { severity: "warning", found, remedy };
}

function zeroCopyMemory({ read }: Surroundings): Judgement {
  const limit = sysctl(read, "net.core.optmem_max");
  if (limit === undefined) return unreadable("The limit of zero-copy notifications", "sysctl net.core.optmem_max");
  const sends = Math.floor(limit / NOTIFICATION_BYTES);
  const found = `room for ${number(sends)} zero-copy sends in flight per flow`;
  if (sends >= SENDS_PER_FLOW) return fine(found);
  return { severity: "notice", found, remedy: "sysctl -w net.core.optmem_max=131072" };
}

export const limitChecks: readonly Check<Surroundings>[] = [
  {
    id: "open-files",
    judge: openFiles,
    why: "Every flow is an open file on both hosts; a test with more flows than that is refused.",
  },
  {
    id: "locked-memory",
    judge: lockedMemory,
    why: "Pages under --zerocopy msg count as locked until the kernel lets go of them; beyond the limit sends have to wait, and --engine uring, which locks all of its buffers at once, fails.",
  },
  {
    id: "port-range",
    judge: portRange,
    why: "Every connection of the client takes a source port of this range; a test with more flows is refused, and CRR that closes first waits for ports.",
  },
  {
    id: "tcp-timestamps",
    judge: tcpTimestamps,
    why: "Without timestamps a port in TIME_WAIT cannot be used again for 60 s, which sets the rate of CRR where the client closes first.",
  },
  {
    id: "accept-queue",
    judge: acceptQueue,
    why: "As a server, what comes faster than it is accepted waits in this queue; beyond it SYNs are dropped and come again after a second, a tail that CRR shows.",
  },
  {
    id: "conntrack",
    judge: conntrack,
    why: "Tracking costs CPU for every packet and an entry for every connection, kept for minutes after its end; when the table is full, packets are dropped.",
  },
  {
    id: "tcp-memory",
    judge: tcpMemory,
    why: "Under memory pressure TCP shrinks its windows; at the limit it drops packets.",
  },
  {
    id: "tcp-buffers",
    judge: tcpBuffers,
    why: "One flow cannot have more under way than its buffers hold: throughput is bound to their size over the round trip.",
  },
  {
    id: "zero-copy-memory",
    judge: zeroCopyMemory,
    why: "Each send under --zerocopy msg holds a notification until it is done; without room for it the next send waits.",
  },
];
