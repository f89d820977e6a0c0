/** The table of UDP_STREAM: what was sent, and below it what came. */
import type { Figures } from "../client/figures.js";
import { left, right } from "./columns.js";
import { cpuLetter } from "./selector-kinds.js";

export function renderDatagrams(figures: Figures): string {
  const { settings, local, remote, elapsedSeconds, unitName, rate } = figures;
  const cpu = settings.measureLocalCpu || settings.measureRemoteCpu;
  const sent = rate(local.bytesSent);
  if (settings.verbosity === 0) {
    if (!cpu) return `${right(sent, 7, 2)}\n`;
    const side = settings.measureLocalCpu ? local : remote;
    return `${right(side.serviceDemand, 6, 2)} ${cpuLetter(side.cpu)}\n`;
  }
  if (settings.verbosity > 2) return "";
  const letters = cpuLetter(local.cpu) + cpuLetter(remote.cpu);
  const heads = cpu
    ? [
        "Socket  Message  Elapsed      Messages                   CPU      Service",
        "Size    Size     Time         Okay Errors   Throughput   Util     Demand",
        `bytes   bytes    secs            #      #   ${unitName}/sec % ${letters}     us/KB`,
      ]
    : [
        "Socket  Message  Elapsed      Messages                ",
        "Size    Size     Time         Okay Errors   Throughput",
        `bytes   bytes    secs            #      #   ${unitName}/sec`,
      ];
  const time = left(elapsedSeconds, 7, 2);
  const use = (side: typeof local): string =>
    cpu ? `     ${left(side.cpuUtil, 6, 2)}   ${left(side.serviceDemand, 6, 3)}` : "";
  const digits = cpu ? 1 : 2;
  return (
    (settings.headers ? `${heads.join("\n")}\n\n` : "") +
    `${right(local.initial.sndbufBytes, 6)}  ${right(local.sendBytes, 6)}   ${time}   ${right(local.sendCalls, 7)} ` +
    `${right(local.failedSends, 6)}    ${right(sent, 7, digits)}${use(local)}\n` +
    `${right(remote.initial.rcvbufBytes, 6)}           ${time}   ${right(remote.recvCalls, 7)}           ` +
    `${right(rate(remote.bytesReceived), 7, digits)}${use(remote)}\n\n`
  );
}
