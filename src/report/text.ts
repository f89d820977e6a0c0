/** The readable table of one result. Lines of plain text, no colours. */
import type { CpuUsage, LatencySummary, Result, Warning } from "../result/model.js";
import { describeBest } from "./best.js";
import { describeRun, describeSetup } from "./describe.js";
import { alignPairs, alignRows, type Cell, known, wrap } from "./layout.js";
import { describeMean, runTable } from "./repeat.js";
import {
  formatBitRate,
  formatBytes,
  formatCores,
  formatCount,
  formatPercent,
  formatRate,
  formatShare,
  formatTime,
} from "./units.js";

/** Beyond this, flows are left to the JSON. */
const MAX_FLOW_ROWS = 8;
const WIDTH = 100;
const WORTH_SHOWING_CORES = 0.05;

const LATENCY_NAMES = { rtt: "round trip", transaction: "transaction", connect: "connect", request: "request" };

/** Everything that a person wants to know of a result, ending with a newline. */
export function renderText(result: Result, options: { warnings?: boolean } = {}): string {
  const blocks = [
    [describeRun(result), ...errorLines(result), ...indented(alignPairs(describeSetup(result)))],
    indented(alignPairs(mainFigures(result))),
    indented(runTable(result)),
    latencyTable(result),
    cpuTable(result),
    flowTable(result),
    options.warnings === false ? [] : warningLines(result.warnings),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

/** The warnings alone, for where the table is not printed; "" when there are none. */
export function renderWarnings(warnings: readonly Warning[]): string {
  return warningLines(warnings)
    .map((line) => `${line}\n`)
    .join("");
}

function errorLines({ error }: Result): string[] {
  return error === undefined ? [] : indented([`error ${error.code}: ${error.message}`]);
}

function mainFigures(result: Result): [string, string][] {
  const figures: [string, string][] = [];
  const { throughput, transactions, openLoop, connections, datagrams, zerocopy, rxZerocopy } = result;
  if (throughput !== undefined) {
    const { bitsPerSecond, bytes, sender } = throughput;
    const goodput = bitsPerSecond === undefined ? "unknown: no report from the receiver" : formatBitRate(bitsPerSecond);
    figures.push(["throughput", bytes === undefined ? goodput : `${goodput} received (${formatBytes(bytes)})`]);
    if (sender !== undefined) {
      figures.push(["sender", `${formatBitRate(sender.bitsPerSecond)} sent (${formatBytes(sender.bytes)})`]);
    }
  }
  if (transactions !== undefined) {
    figures.push(["transactions", `${formatRate(transactions.perSecond)} (${formatCount(transactions.count)})`]);
  }
  if (openLoop !== undefined) {
    const { ratePerSecond, spacing } = result.spec;
    const asked = `${formatRate(ratePerSecond)} asked for (${spacing})`;
    figures.push(["open loop", `${asked}, ${formatCount(openLoop.backlog)} due and not yet sent at the end`]);
  }
  if (connections !== undefined) {
    figures.push(["connections", `${formatRate(connections.perSecond)} (${formatCount(connections.count)})`]);
    figures.push(["connect errors", describeErrors(connections.errors)]);
  }
  if (datagrams !== undefined) figures.push(...datagramFigures(datagrams));
  if (zerocopy !== undefined) {
    const { requestedBytes, zeroCopiedBytes, copiedBytes } = zerocopy;
    const split = `${formatBytes(zeroCopiedBytes)} not copied, ${formatBytes(copiedBytes)} copied after all`;
    figures.push(["zero-copy", `${split}, of ${formatBytes(requestedBytes)}`]);
  }
  if (rxZerocopy !== undefined) {
    const { mappedBytes, copiedBytes } = rxZerocopy;
    figures.push(["zero-copy rx", `${formatBytes(mappedBytes)} mapped, ${formatBytes(copiedBytes)} copied after all`]);
  }
  if (result.best !== undefined) figures.push(["best found", describeBest(result.best)]);
  if (result.profile !== undefined) {
    const { samples, svg } = result.profile;
    figures.push(["flame graph", `${svg} (${formatCount(samples)} samples of the client's host)`]);
  }
  if (result.tcpInfo !== undefined) figures.push(["TCP", describeTcp(result.tcpInfo)]);
  const mean = describeMean(result);
  if (mean !== undefined) figures.push(["mean", mean]);
  return [...figures, ...demandFigures(result), ...threadFigures(result)];
}

function datagramFigures(datagrams: NonNullable<Result["datagrams"]>): [string, string][] {
  const { sent, sentPerSecond, received, receivedPerSecond, lost, lostPct, late, refused, receiverDrops } = datagrams;
  const counted = (count: number, perSecond: number | undefined): string =>
    perSecond === undefined ? formatCount(count) : `${formatRate(perSecond)} (${formatCount(count)})`;
  const parts = [`${counted(sent, sentPerSecond)} sent`];
  if (received !== undefined) parts.push(`${counted(received, receivedPerSecond)} received`);
  const loss = lost === undefined ? "unknown: no report from the receiver" : formatCount(lost);
  const share = lostPct === undefined ? "" : ` (${formatPercent(lostPct)})`;
  const causes = [
    ...(receiverDrops === undefined || receiverDrops === 0
      ? []
      : [`${formatCount(receiverDrops)} packets dropped at the server's sockets`]),
    ...(late === undefined || late === 0 ? [] : [`${formatCount(late)} answered too late`]),
    ...(refused === 0 ? [] : [`${formatCount(refused)} sends refused by the client's kernel`]),
  ];
  return [
    ["datagrams", parts.join(", ")],
    ["lost", [`${loss}${share}`, ...causes].join(", ")],
  ];
}

/** Who held the sender back, the network aside. */
function describeTcp({ retransmits, busyNs, rwndLimitedNs, sndbufLimitedNs }: NonNullable<Result["tcpInfo"]>): string {
  const held = `${formatTime(rwndLimitedNs)} held back by the receiver's window, ${formatTime(sndbufLimitedNs)} by the send buffer`;
  return `${formatCount(retransmits)} segments retransmitted; of ${formatTime(busyNs)} with data under way ${held}`;
}

/** Kernel threads that used enough of a CPU to show. */
function threadFigures({ cpu }: Result): [string, string][] {
  const parts = (["local", "remote"] as const).flatMap((end) => {
    const threads = (cpu[end]?.kernelThreads ?? []).filter(({ cores }) => cores >= WORTH_SHOWING_CORES);
    if (threads.length === 0) return [];
    const list = threads.map(({ name, cores }) => `${name} ${formatCores(cores)}`).join(", ");
    return [`${end === "local" ? "client" : "server"} ${list}`];
  });
  return parts.length === 0 ? [] : [["kernel threads", `${parts.join("; ")} (cores)`]];
}

function demandFigures({ cpu: { serviceDemand, normalized } }: Result): [string, string][] {
  const figures: [string, string][] = [];
  const demand = (["local", "remote"] as const).flatMap((end) => {
    const { nsPerTransaction, nsPerKiB } = serviceDemand?.[end] ?? {};
    const name = end === "local" ? "client" : "server";
    if (nsPerTransaction !== undefined) return [`${name} ${formatTime(nsPerTransaction)} of CPU per transaction`];
    return nsPerKiB === undefined ? [] : [`${name} ${formatTime(nsPerKiB)} of CPU per KiB`];
  });
  if (demand.length > 0) figures.push(["service demand", demand.join(", ")]);
  if (normalized !== undefined) {
    const { target, unit, localCores, remoteCores } = normalized;
    const rate = unit === "bitsPerSecond" ? formatBitRate(target) : formatRate(target);
    const cores = [
      ...(localCores === undefined ? [] : [`client ${formatCores(localCores)} cores`]),
      ...(remoteCores === undefined ? [] : [`server ${formatCores(remoteCores)} cores`]),
    ];
    figures.push(["normalised CPU", `${cores.join(", ")} at ${rate} (linear extrapolation)`]);
  }
  return figures;
}

function describeErrors(errors: NonNullable<Result["connections"]>["errors"]): string {
  const names = {
    portsExhausted: "no free port",
    refused: "refused",
    timedOut: "timed out",
    reset: "reset",
    other: "other",
  };
  const parts = Object.entries(names)
    .map(([key, name]) => ({ name, count: errors[key as keyof typeof names] }))
    .filter(({ count }) => count > 0)
    .map(({ name, count }) => `${formatCount(count)} ${name}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function latencyTable({ latency, connectLatency, requestLatency }: Result): string[] {
  const rows = [latency, connectLatency, requestLatency].filter((summary) => summary !== undefined).map(latencyRow);
  if (rows.length === 0) return [];
  const head = ["latency", "min", "mean", "stddev", "p50", "p90", "p95", "p99", "p99.9", "p99.99", "max"];
  return indented(alignRows(head, rows));
}

function latencyRow(summary: LatencySummary): Cell[] {
  const { minNs, meanNs, stddevNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs } = summary;
  const times = [minNs, meanNs, stddevNs, p50Ns, p90Ns, p95Ns, p99Ns, p99_9Ns, p99_99Ns, maxNs];
  return [LATENCY_NAMES[summary.kind], ...times.map(formatTime)];
}

function cpuTable({ cpu: { local, remote }, workers }: Result): string[] {
  const rows: Cell[][] = [];
  if (local !== undefined) rows.push(cpuRow("client", local, workers.local.busyCores));
  if (remote !== undefined) rows.push(cpuRow("server", remote, workers.remote?.busyCores));
  if (rows.length === 0) return [];
  const head = ["CPU of the host, in cores", "busy", "of", "share", "user", "system", "softirq", "irq", "iowait"];
  return indented(alignRows([...head, "steal", "process", "workers", "cgroup"], rows));
}

function cpuRow(name: string, cpu: CpuUsage, workerCores: number | undefined): Cell[] {
  const split = [cpu.userCores, cpu.systemCores, cpu.softirqCores, cpu.irqCores, cpu.iowaitCores, cpu.stealCores];
  const busy = [formatCores(cpu.busyCores), String(cpu.cpus), formatShare(cpu.utilization)];
  const own = [cpu.processCores, workerCores, cpu.cgroup?.usageCores];
  return [name, ...busy, ...split.map(formatCores), ...own.map((cores) => known(cores, formatCores))];
}

function flowTable({ flows }: Result): string[] {
  if (!flows.some(({ tcpInfo }) => tcpInfo !== undefined)) return [];
  if (flows.length > MAX_FLOW_ROWS) return indented([`flows: ${flows.length}, listed one by one in the JSON result`]);
  const rows = flows.map((flow, index): Cell[] => {
    const { tcpInfo } = flow;
    const amount = known(flow.transactions, formatCount) ?? known(flow.bytes ?? flow.sentBytes, formatBytes);
    const cpus = [flow.cpu?.toString(), flow.remoteCpu?.toString()];
    if (tcpInfo === undefined) return [String(index), amount, ...cpus];
    const times = [formatTime(tcpInfo.rttNs), formatTime(tcpInfo.minRttNs)];
    const counts = [tcpInfo.retransmits, tcpInfo.cwndPackets, tcpInfo.mssBytes].map(String);
    return [String(index), amount, ...cpus, ...times, ...counts];
  });
  const amountHead = flows.some(({ transactions }) => transactions !== undefined) ? "transactions" : "bytes";
  const head = ["flow", amountHead, "client CPU", "server CPU", "rtt", "min rtt", "retransmits", "cwnd", "MSS"];
  return indented(alignRows(head, rows));
}

function warningLines(warnings: readonly Warning[]): string[] {
  return warnings.flatMap(({ code, message, advice }) => [
    ...wrap(`warning ${code}: ${message}`, WIDTH, ""),
    ...wrap(advice, WIDTH, "  "),
  ]);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
