/** Results and intervals in one line each, and several results in one table. */
import type { Interval, Result } from "../result/model.js";
import { formatFlows } from "./describe.js";
import { alignRows, type Cell, known, printable } from "./layout.js";
import { formatBitRate, formatCores, formatCount, formatPercent, formatRate, formatTime } from "./units.js";
import { variantsOf } from "./variants.js";

type Rates = Pick<Interval, "throughput" | "transactions">;

/** The figure that a test is run for: "9.413 Gbit/s" or "123.4 k/s"; of the sender where nothing is known of the receiver. */
export function headline({ throughput, transactions }: Rates): string {
  if (transactions !== undefined) return formatRate(transactions.perSecond);
  if (throughput?.bitsPerSecond !== undefined) return formatBitRate(throughput.bitsPerSecond);
  return throughput?.sender === undefined ? "no figure" : `${formatBitRate(throughput.sender.bitsPerSecond)} sent`;
}

/** "tcp_rr, 32 flows, --request 64K: 123.4 k/s, p50 12.34 us, p99 45.6 us"; `variant` is what sets it off from others. */
export function renderSummary(result: Result, variant = ""): string {
  const state = result.state === "completed" ? "" : ` (${result.state})`;
  return `${nameRun(result.spec, variant)}: ${renderFigures(result)}${state}`;
}

/** "tcp_rr, 32 flows, --request 64K" */
export function nameRun({ test, flows }: Result["spec"], variant: string): string {
  return [test, formatFlows(flows), ...(variant === "" ? [] : [printable(variant)])].join(", ");
}

/** "  2.0-3.0   s  123.4 k/s, p50 12.34 us, p99 45.6 us" */
export function renderInterval(interval: Interval): string {
  const { startNs, durationNs } = interval;
  const [from, to] = [startNs, startNs + durationNs].map((ns) => (ns / 1e9).toFixed(1));
  return `${`${from}-${to}`.padStart(13)} s  ${renderFigures(interval)}`;
}

/** "123.4 k/s, p50 12.34 us, p99 45.6 us" */
export function renderFigures(rates: Rates & { latency?: { p50Ns: number; p99Ns: number } }): string {
  const { latency } = rates;
  const tail = latency === undefined ? "" : `, p50 ${formatTime(latency.p50Ns)}, p99 ${formatTime(latency.p99Ns)}`;
  return `${headline(rates)}${tail}`;
}

/** "1.23 %" of the datagrams; undefined where there are none, or nobody knows. */
export function formatLoss({ datagrams }: Result): string | undefined {
  return known(datagrams?.lostPct, formatPercent);
}

/** One row per result, ending with a newline; those that would look alike with the options that differ. CPU is one column where both ends are one host. */
export function renderOverview(results: readonly Result[]): string {
  const oneHost = results.every(
    ({ host }) => host.local.bootId !== undefined && host.local.bootId === host.remote?.bootId,
  );
  const cpuHead = oneHost ? ["host CPU"] : ["client CPU", "server CPU"];
  const head = ["test", "flows", "rate", "lost", "p50", "p99", "p99.9", "max", ...cpuHead, ""];
  const variants = variantsOf(results.map(({ spec }) => spec));
  const rows = results.map((result, index) => overviewRow(result, variants[index] as string, oneHost));
  return `${alignRows(head, rows).join("\n")}\n`;
}

function overviewRow(result: Result, variant: string, oneHost: boolean): Cell[] {
  const { latency, cpu, state } = result;
  const times = latency === undefined ? [] : [latency.p50Ns, latency.p99Ns, latency.p99_9Ns, latency.maxNs];
  const ends = oneHost ? [cpu.local] : [cpu.local, cpu.remote];
  const cores = ends.map((end) => known(end, ({ busyCores, cpus }) => `${formatCores(busyCores)} of ${cpus}`));
  const latencies = [0, 1, 2, 3].map((index) => known(times[index], formatTime));
  const note = state === "completed" ? undefined : state;
  const name = variant === "" ? result.test : `${result.test} ${printable(variant)}`;
  return [name, formatCount(result.spec.flows), headline(result), formatLoss(result), ...latencies, ...cores, note];
}
