/** Warnings about datagrams: lost, late, cut in pieces. */
import { isUdp } from "../options/spec.js";
import { datagramsOf, sizeOf } from "./datagrams.js";
import type { Warning } from "./model.js";
import { roughPercent } from "./percents.js";
import type { EndReport, RawRun } from "./raw.js";

const share = (part: number, whole: number): string => roughPercent((part / whole) * 100);

/** A datagram that is larger than a packet is as good as its worst fragment, and costs reassembly. */
function fragmented({ spec, local, remote }: RawRun): Warning[] {
  const sizes: [name: string, bytes: number | undefined, from: EndReport | undefined, option: string][] =
    spec.test === "udp_stream"
      ? [["Datagrams", sizeOf(local), local, "--send-size"]]
      : [
          ["Requests", spec.requestBytes, local, "--request"],
          ["Responses", spec.responseBytes, remote, "--response"],
        ];
  return sizes.flatMap(([name, bytes = 0, from, option]) => {
    const most = from?.socket.mssBytes ?? 0;
    if (most === 0 || bytes <= most) return [];
    return [
      {
        code: "DATAGRAMS_FRAGMENTED",
        message: `${name} of ${bytes} bytes do not fit the path's packets, which carry ${most}: each travelled in ${Math.ceil((bytes + 8) / most)} fragments or more, and is lost with any of them`,
        advice: `Use ${option} ${most} or less, unless fragmentation is what you measure`,
      },
    ];
  });
}

function receiverDrops({ spec, remote, local }: RawRun): Warning[] {
  const drops = remote?.counters.datagrams?.dropped ?? 0;
  if (drops === 0) return [];
  const slower = spec.test === "udp_rr" ? "fewer --flows or a smaller --burst" : "less --bandwidth";
  const remedies = [
    `a larger --rcvbuf than the ${remote?.socket.rcvbufBytes ?? 0} bytes in force (sysctl net.core.rmem_max bounds it)`,
    ...(spec.test === "udp_stream" && !spec.gro ? ["--gro"] : []),
    ...(spec.test === "udp_stream" && spec.batch === 1 ? ["--batch 32"] : []),
    slower,
  ];
  return [
    {
      code: "RECEIVER_DROPS",
      message: `The server's kernel dropped ${drops} packets at the flows' sockets, beside ${local.counters.datagrams?.sent ?? 0} datagrams sent: the receiving program or its CPU was too slow, whatever the network did`,
      advice: `Try ${remedies.join(", ")}`,
    },
  ];
}

function senderDrops({ local }: RawRun): Warning[] {
  const dropped = local.network?.udp?.sendBufferErrors ?? 0;
  if (dropped === 0) return [];
  return [
    {
      code: "SENDER_DROPS",
      message: `The client's own host dropped ${dropped} datagrams on their way out: no memory, or a full queue of the interface`,
      advice: "Send less with --bandwidth, or lengthen the queue (tc qdisc, ip link set txqueuelen)",
    },
  ];
}

/** Of UDP_STREAM loss is a result like any other; a request that is lost has kept its flow waiting. */
function requestsLost(raw: RawRun): Warning[] {
  const { lost = 0, sent = 0, late = 0 } = datagramsOf(raw) ?? {};
  if (raw.spec.test !== "udp_rr" || lost === 0) return [];
  const patience = `${raw.spec.retryAfterNs / 1e6} ms`;
  const came = late === 0 ? "" : `; ${late} answers came after that`;
  return [
    {
      code: "REQUESTS_LOST",
      message: `${lost} of ${sent} requests (${share(lost, sent)}) had no answer within ${patience} and are in no latency${came}: their flows did nothing else meanwhile, which is in the rate`,
      advice:
        late === 0
          ? "Look for drops with nstat (Udp*, Ip*) and ethtool -S on both hosts; a shorter --retry-after costs the rate less"
          : "Give a longer --retry-after than the slowest answers take, or fewer --flows",
    },
  ];
}

export function udpWarnings(raw: RawRun): Warning[] {
  if (!isUdp(raw.spec.test)) return [];
  return [...fragmented(raw), ...receiverDrops(raw), ...senderDrops(raw), ...requestsLost(raw)];
}
