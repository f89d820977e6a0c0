/** netperf's classic tables. Blanks at the ends of lines are part of the form: scripts cut by column. */
import type { Figures } from "../client/figures.js";
import type { Settings } from "../client/settings.js";
import { left, right } from "./columns.js";
import { renderDatagrams } from "./classic-udp.js";
import { cpuLetter, mean } from "./selector-kinds.js";

function brandOf({ settings }: Figures): string {
  return settings.headers ? "" : (settings.brand ?? "");
}

/** Their tables have neither brand nor letters. */
function byConnection({ kind }: Settings): boolean {
  return kind === "crr" || kind === "cc";
}

function measuresCpu({ settings }: Figures): boolean {
  return settings.measureLocalCpu || settings.measureRemoteCpu;
}

/** The whole output but banner and interim lines. */
export function renderClassic(figures: Figures): string {
  const { verbosity, protocol, kind } = figures.settings;
  const udp = protocol === "udp";
  if (udp && kind === "send") return renderDatagrams(figures);
  if (verbosity === 0) return renderBare(figures);
  const table = verbosity <= 2 ? (figures.requests ? requestTable(figures) : streamTable(figures)) : "";
  return table + (verbosity >= 2 && !udp ? renderDetail(figures) : "");
}

/** One number: the result, or the service demand where CPU was asked for. */
function renderBare(figures: Figures): string {
  const { settings, throughput, local, remote } = figures;
  const crr = byConnection(settings);
  if (!measuresCpu(figures)) return `${right(throughput, 7, 2)}${crr ? "" : ` ${brandOf(figures)}`}\n`;
  const side = settings.measureLocalCpu ? local : remote;
  const tail = crr ? "" : ` ${cpuLetter(side.cpu)} ${brandOf(figures)}`;
  return `${right(side.serviceDemand, 6, 3)}${tail}\n`;
}

function streamTable(figures: Figures): string {
  const { settings, local, remote, unitName, elapsedSeconds, throughput } = figures;
  const maerts = settings.kind === "receive";
  const cpu = measuresCpu(figures);
  const [receiver, sender] = maerts && !cpu ? [local, remote] : [remote, local];
  const size = maerts ? remote.sendBytes : local.sendBytes;
  const start =
    `${right(receiver.initial.rcvbufBytes, 6)} ${right(sender.initial.sndbufBytes, 6)} ${right(size, 6)}    ` +
    left(elapsedSeconds, 6, 2);
  const value = `${start}${cpu ? "     " : "   "}${right(throughput, 7, 2)}   `;
  if (!cpu) {
    return (
      heads(figures, [
        "Recv   Send    Send                          ",
        "Socket Socket  Message  Elapsed              ",
        "Size   Size    Size     Time     Throughput  ",
        `bytes  bytes   bytes    secs.    ${unitName}/sec  `,
      ]) + `${value}${brandOf(figures)}\n`
    );
  }
  const [one, other] = maerts ? ["Recv", "Send"] : ["Send", "Recv"];
  const letters = `% ${cpuLetter(local.cpu)}      % ${cpuLetter(remote.cpu)}  `;
  return (
    heads(figures, [
      "Recv   Send    Send                          Utilization       Service Demand",
      `Socket Socket  Message  Elapsed              ${one}     ${other}     ${one}    ${other}`,
      "Size   Size    Size     Time     Throughput  local    remote   local   remote",
      `bytes  bytes   bytes    secs.    ${left(unitName.slice(0, 8), 8)}/s  ${letters}    us/KB   us/KB`,
    ]) +
    `${value}${left(local.cpuUtil, 6, 2)}   ${left(remote.cpuUtil, 6, 2)}   ` +
    `${left(local.serviceDemand, 6, 3)}  ${left(remote.serviceDemand, 6, 3)} ${brandOf(figures)}\n`
  );
}

function requestTable(figures: Figures): string {
  const { settings, local, remote, elapsedSeconds, throughput, unit, unitName } = figures;
  const crr = byConnection(settings);
  const start = `${left(local.initial.sndbufBytes, 6)} ${left(local.initial.rcvbufBytes, 6)} ${left(settings.requestBytes, 6)}`;
  const second = `${left(remote.initial.sndbufBytes, 6)} ${left(remote.initial.rcvbufBytes, 6)}\n`;
  const response = left(settings.responseBytes, 6);
  const time = left(elapsedSeconds, 6, 2);
  if (!measuresCpu(figures)) {
    // The connection tests head their column the same whatever the unit.
    const [rate, head, line] =
      unit === "x" || crr ? ["Trans.", "Rate         ", "per sec   "] : ["", "Throughput ", `${unitName}/sec   `];
    const brand = crr ? "" : brandOf(figures);
    return (
      heads(figures, [
        "Local /Remote",
        `Socket Size   Request  Resp.   Elapsed  ${rate}`,
        `Send   Recv   Size     Size    Time     ${head}`,
        `bytes  Bytes  bytes    bytes   secs.    ${line}`,
      ]) + `${start}   ${response}  ${time}   ${right(throughput, 7, 2)}   ${brand}\n${second}`
    );
  }
  const [head, line] =
    unit === "x" || crr ? ["Trans.  ", "Rate     "] : ["Tput    ", `${left(unitName.slice(0, 8), 8)} `];
  const work = unit === "x" || crr ? "Tr" : "KB";
  const letter = (side: typeof local): string => (crr ? "%   " : `% ${cpuLetter(side.cpu)} `);
  const gap = crr ? "   " : "  ";
  return (
    heads(figures, [
      "Local /Remote",
      `Socket Size   Request Resp.  Elapsed ${head} CPU    CPU    S.dem   S.dem`,
      `Send   Recv   Size    Size   Time    ${line}local  remote local   remote`,
      `bytes  bytes  bytes   bytes  secs.   per sec  ${letter(local)}   ${letter(remote)}   us/${work}   us/${work}`,
    ]) +
    `${start}  ${response} ${time}  ${left(throughput, 6, 2)}${gap}${left(local.cpuUtil, 6, 2)} ` +
    `${left(remote.cpuUtil, 6, 2)} ${left(local.serviceDemand, 6, 3)}  ${left(remote.serviceDemand, 6, 3)}` +
    `${crr ? "" : ` ${brandOf(figures)}`}\n${second}`
  );
}

/** The headings and the empty line below them. */
function heads({ settings }: Figures, lines: readonly string[]): string {
  return settings.headers ? `${lines.join("\n")}\n\n` : "";
}

function renderDetail(figures: Figures): string {
  switch (figures.settings.kind) {
    case "rr":
      return requestDetail(figures);
    case "crr":
    case "cc":
      return connectionDetail(figures);
    case "send":
    case "receive":
      return streamDetail(figures);
  }
}

/** The older tests write large byte counts as C's %g does, in four digits. */
function totalBytes({ wire }: Settings, bytes: number): string {
  if (wire === "omni" || bytes < 10_000) return String(bytes);
  const [digits = "", exponent = ""] = bytes.toExponential(3).split("e+");
  return `${String(Number(digits))}e+${exponent.padStart(2, "0")}`;
}

function streamDetail({ settings, local, remote, mssBytes }: Figures): string {
  const maerts = settings.kind === "receive";
  const sent = { bytes: local.bytesSent, calls: local.sendCalls, name: "Send" };
  const received = { bytes: remote.bytesReceived, calls: remote.recvCalls, name: "Recv" };
  const [near, far] = maerts
    ? [
        { bytes: local.bytesReceived, calls: local.recvCalls, name: "Recv" },
        { bytes: remote.bytesSent, calls: remote.sendCalls, name: "Send" },
      ]
    : [sent, received];
  const places = maerts
    ? [local.asked.recvAlign, remote.asked.sendAlign, local.asked.recvOffset, remote.asked.sendOffset]
    : [local.asked.sendAlign, remote.asked.recvAlign, local.asked.sendOffset, remote.asked.recvOffset];
  const [a = 0, b = 0, c = 0, d = 0] = places;
  return (
    "\nAlignment      Offset         Bytes    Bytes       " +
    `${near.name}s   Bytes    ${far.name}s\n` +
    "Local  Remote  Local  Remote  Xfered   Per                 Per\n" +
    `${near.name}   ${far.name}    ${near.name}   ${far.name}             ${near.name} (avg)          ${far.name} (avg)\n` +
    `${right(a, 5)}   ${right(b, 5)}  ${right(c, 5)}  ${right(d, 5)} ${totalBytes(settings, near.bytes)}  ` +
    `${right(mean(near.bytes, near.calls), 6, 2)}    ${right(near.calls, 6)}   ` +
    `${right(mean(far.bytes, far.calls), 6, 2)} ${right(far.calls, 6)}\n` +
    `\nMaximum\nSegment\nSize (bytes)\n${right(mssBytes, 6)}\n`
  );
}

function requestDetail(figures: Figures): string {
  const { local, remote, roundTripUs, transactionRate, unit, unitName, rate } = figures;
  const name = unit === "x" ? "10^6bits" : unitName;
  return (
    "Alignment      Offset         RoundTrip  Trans    Throughput\n" +
    `Local  Remote  Local  Remote  Latency    Rate     ${left(name.slice(0, 8), 8)}/s\n` +
    "Send   Recv    Send   Recv    usec/Tran  per sec  Outbound   Inbound\n" +
    // The second column holds an offset under the name of an alignment, as it always has.
    `${right(local.asked.sendAlign, 5)}  ${right(remote.asked.recvOffset, 5)}   ${right(local.asked.sendOffset, 5)}  ` +
    `${right(remote.asked.recvOffset, 5)}   ${left(roundTripUs, 6, 3)}   ${left(transactionRate, 6, 3)} ` +
    `${left(rate(local.bytesSent), 6, 3)}    ${left(rate(local.bytesReceived), 6, 3)}\n`
  );
}

function connectionDetail({ local, remote }: Figures): string {
  return (
    "\nAlignment      Offset\nLocal  Remote  Local  Remote\nSend   Recv    Send   Recv\n" +
    `${right(local.asked.sendAlign, 5)}  ${right(remote.asked.recvAlign, 5)}   ` +
    `${right(local.asked.sendOffset, 5)}   ${right(remote.asked.recvOffset, 5)}\n`
  );
}
