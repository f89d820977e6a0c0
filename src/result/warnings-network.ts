/** Warnings about sockets, TCP and connection attempts. */
import { type ResolvedSpec, isBulk } from "../options/spec.js";
import type { Warning } from "./model.js";
import { byDirection } from "./rates.js";
import type { EndReport, RawRun } from "./raw.js";

/** Below this round trip BBR's pacing costs throughput. */
const TINY_RTT_NS = 1e6;
/** Share of retransmitted segments that a bulk transfer makes by itself while it looks for the path's limit. */
const USUAL_RETRANSMIT_SHARE = 0.001;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
const percent = (part: number, whole: number): string => `${((part / whole) * 100).toFixed(2)} %`;

/** Whoever closes first keeps the port; what else the client can do depends on where its ports come from. */
function morePorts({ close, localPorts }: ResolvedSpec): string {
  if (close === "client") return "let the server close first (--close server)";
  if (localPorts !== null) return `widen --local-ports ${localPorts.join("-")}`;
  return "give a wide --local-ports LOW-HIGH";
}

function portsExhausted({ spec, local }: RawRun): Warning[] {
  const { portsExhausted: failed } = local.counters.connectErrors;
  if (failed === 0) return [];
  return [
    {
      code: "PORTS_EXHAUSTED",
      message: `${counted(failed, "connection attempt")} found no free source port, beside ${counted(local.counters.connections, "connection")} made: the rate is that of ports coming free`,
      advice: `Add source addresses with --bind ADDR,ADDR, or ${morePorts(spec)}`,
    },
  ];
}

function connectErrors({ spec, local }: RawRun): Warning[] {
  const { refused, timedOut, reset, other } = local.counters.connectErrors;
  const failed = refused + timedOut + reset + other;
  if (failed === 0) return [];
  return [
    {
      code: "CONNECT_ERRORS",
      message: `${counted(failed, "connection attempt")} failed (${refused} refused, ${timedOut} timed out, ${reset} reset, ${other} other), beside ${counted(local.counters.connections, "connection")} made`,
      advice: `Look for a full accept queue, a firewall or a connection tracking limit on the path (cnb-load doctor on both hosts)${spec.flows > 1 ? "; fewer --flows press less" : ""}`,
    },
  ];
}

function zerocopyCopied(raw: RawRun): Warning[] {
  const zerocopy = byDirection<EndReport>(raw.spec, raw).sender?.zerocopy;
  if (zerocopy === undefined || zerocopy.copiedBytes === 0) return [];
  const completed = zerocopy.copiedBytes + zerocopy.zeroCopiedBytes;
  return [
    {
      code: "ZEROCOPY_COPIED",
      message: `The kernel copied ${percent(zerocopy.copiedBytes, completed)} of the zero-copy bytes after all (${zerocopy.copiedBytes} of ${completed})`,
      advice:
        raw.sameHost && raw.spec.rx === "zerocopy"
          ? "Between sockets of one host it always copies, and these copies are what --rx zerocopy maps: without it, use --zerocopy off"
          : "Loopback, veth and drivers without scatter-gather always copy: there --zerocopy msg only adds work, use --zerocopy off",
    },
  ];
}

/** What fills whole pages. A segment's MSS counts the 12 bytes of TCP's timestamps, its MTU also the headers: 40 bytes over IPv4. */
const PAGES_ADVICE =
  "Let each segment hold whole pages: --mss 4108 (a page of 4096 bytes and TCP's timestamps) with an MTU of 4148 (IPv6: 4168) or more";

function rxZerocopyCopied(raw: RawRun): Warning[] {
  const { spec, sameHost } = raw;
  const zerocopy = byDirection<EndReport>(spec, raw).receiver?.rxZerocopy;
  if (zerocopy === undefined || zerocopy.copiedBytes <= zerocopy.mappedBytes) return [];
  const received = zerocopy.copiedBytes + zerocopy.mappedBytes;
  const source = sameHost
    ? "; on one host pages are as the sender's kernel has them, use --zerocopy msg"
    : ", and have the receiver's card put headers apart (ethtool -G DEVICE tcp-data-split on)";
  return [
    {
      code: "RX_ZEROCOPY_COPIED",
      message: `The receiver's kernel could map ${percent(zerocopy.mappedBytes, received)} of the bytes for --rx zerocopy, and the rest was copied (${zerocopy.copiedBytes} of ${received})`,
      advice: `${PAGES_ADVICE}${sameHost && spec.zerocopy === "msg" ? "" : source}`,
    },
  ];
}

function bbrPacing(raw: RawRun): Warning[] {
  if (!isBulk(raw.spec.test)) return [];
  const sender = byDirection<EndReport>(raw.spec, raw).sender;
  const rtts = sender?.flows.tcpInfo?.map((info) => info.minRttNs).filter((rttNs) => rttNs > 0) ?? [];
  const congestion = sender?.socket.congestion ?? "";
  const rttNs = rtts.reduce((least, one) => Math.min(least, one), Infinity);
  if (!congestion.startsWith("bbr") || rttNs >= TINY_RTT_NS) return [];
  return [
    {
      code: "BBR_PACING",
      message: `The sender's congestion control is ${congestion}, which paces its packets: on a path with a round trip of ${(rttNs / 1000).toFixed(0)} us that can cost most of the throughput`,
      advice: "Use --congestion cubic, unless the pacing is what you measure",
    },
  ];
}

/** The kernel doubles what is asked for; less than that means that net.core.*mem_max cut it short. */
function fixedBuffer(raw: RawRun, option: "rcvbuf" | "sndbuf"): Warning[] {
  const asked = raw.spec[`${option}Bytes`];
  if (asked === 0) return [];
  const granted = raw.local.socket[`${option}Bytes`];
  const limit = option === "rcvbuf" ? "net.core.rmem_max" : "net.core.wmem_max";
  const cut = granted < asked * 2 ? `, where ${limit} cut it short of the ${asked * 2} that ${asked} stands for` : "";
  return [
    {
      code: "FIXED_BUFFER",
      message: `--${option} ${asked} switched off the kernel's autotuning: the client's buffers stayed at ${granted} bytes${cut}`,
      advice: `Leave --${option} out to let the kernel tune the buffer to the path${cut === "" ? "" : `, or raise ${limit}`}`,
    },
  ];
}

/** Options in use that press the path. */
function gentler({ flows, mssBytes }: ResolvedSpec): string {
  const ways = [...(flows > 1 ? [`fewer --flows than ${flows}`] : []), ...(mssBytes > 0 ? ["no --mss"] : [])];
  return ways.length === 0 ? "" : `; ${ways.join(" and ")} may press the path less`;
}

/** The first connections to a server only fetch its cookie: a run has thousands more. */
function fastOpenUnused({ spec, local }: RawRun): Warning[] {
  const opened = local.network?.tcp?.fastOpensActive;
  const { connections } = local.counters;
  if (!spec.fastOpen || opened === undefined || opened >= connections / 2) return [];
  return [
    {
      code: "FAST_OPEN_NOT_USED",
      message: `Of ${connections} connections ${opened} sent their request with the SYN: the others waited for the handshake`,
      advice:
        "Set net.ipv4.tcp_fastopen to 3 on both hosts, and look for a device on the path that drops TCP's option 34",
    },
  ];
}

function retransmits(raw: RawRun): Warning[] {
  const sender = byDirection<EndReport>(raw.spec, raw).sender;
  const infos = sender?.flows.tcpInfo ?? [];
  const resent = infos.reduce((sum, info) => sum + info.retransmits, 0);
  if (sender === undefined || resent === 0) return [];
  const mssBytes = infos.find((info) => info.mssBytes > 0)?.mssBytes ?? 1448;
  const segments = Math.max(resent, Math.ceil(sender.counters.bytesSent / mssBytes));
  if (isBulk(raw.spec.test) && resent / segments <= USUAL_RETRANSMIT_SHARE) return [];
  return [
    {
      code: "RETRANSMITS",
      message: isBulk(raw.spec.test)
        ? `TCP sent ${counted(resent, "segment")} again, ${percent(resent, segments)} of about ${segments}`
        : `TCP sent ${counted(resent, "segment")} again in ${counted(sender.counters.transactions, "transaction")}: each may have held one of them up for 200 ms or more`,
      advice: `Look for drops with ethtool -S and nstat on both hosts${gentler(raw.spec)}`,
    },
  ];
}

export function networkWarnings(raw: RawRun): Warning[] {
  return [
    ...portsExhausted(raw),
    ...connectErrors(raw),
    ...zerocopyCopied(raw),
    ...rxZerocopyCopied(raw),
    ...bbrPacing(raw),
    ...fixedBuffer(raw, "sndbuf"),
    ...fixedBuffer(raw, "rcvbuf"),
    ...fastOpenUnused(raw),
    ...retransmits(raw),
  ];
}
