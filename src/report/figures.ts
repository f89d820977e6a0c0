/** What reports of several runs show of each, picked from its result. */
import { fairnessOf } from "../result/fairness.js";
import type { CpuUsage, Result, Warning } from "../result/model.js";
import { roughPercent } from "../result/percents.js";
import { type LabelledRun, labelsOf } from "./runs.js";
import { formatLoss, headline } from "./summary.js";
import { formatBitRate, formatCores, formatRate, formatShare, formatTime } from "./units.js";

export type Row = (string | undefined)[];

export interface FigureTable {
  head: string[];
  rows: Row[];
}

/** "±1.2 %" where the result is of several runs. */
function spread({ repeat }: Result): string | undefined {
  return repeat?.halfWidthPct === undefined ? undefined : `±${roughPercent(repeat.halfWidthPct)}`;
}

/** Rates and latency, a row per run under the name that `name` gives it. */
export function rateTable(runs: readonly LabelledRun[], nameOf: (run: LabelledRun) => string): FigureTable {
  const head = ["run", "rate", "±", "lost", "p50", "p90", "p99", "p99.9", "max", "warnings"];
  return {
    head,
    rows: runs.map((run) => {
      const { result } = run;
      const { latency, warnings, state } = result;
      const times = latency && [latency.p50Ns, latency.p90Ns, latency.p99Ns, latency.p99_9Ns, latency.maxNs];
      const cells = times?.map(formatTime) ?? Array.from({ length: 5 }, () => undefined);
      const rate = state === "completed" ? headline(result) : `${headline(result)} (${state})`;
      return [
        nameOf(run),
        rate,
        spread(result),
        formatLoss(result),
        ...cells,
        warnings.map(({ code }) => code).join(" "),
      ];
    }),
  };
}

/** CPU of both hosts, a row per run and end. */
export function cpuTable(runs: readonly LabelledRun[], nameOf: (run: LabelledRun) => string): FigureTable {
  const head = ["run", "end", "busy cores", "of", "share", "user", "system", "softirq", "irq", "steal"];
  return {
    head: [...head, "demand", "normalised"],
    rows: runs.flatMap((run) =>
      (["local", "remote"] as const).flatMap((end) => {
        const usage = run.result.cpu[end];
        if (usage === undefined) return [];
        const row = [nameOf(run), end === "local" ? "client" : "server", ...usageCells(usage)];
        return [[...row, demandCell(run.result, end), normalizedCell(run.result, end)]];
      }),
    ),
  };
}

function usageCells(usage: CpuUsage): string[] {
  const { busyCores, cpus, utilization, userCores, systemCores, softirqCores, irqCores, stealCores } = usage;
  const split = [userCores, systemCores, softirqCores, irqCores, stealCores];
  return [formatCores(busyCores), String(cpus), formatShare(utilization), ...split.map(formatCores)];
}

function demandCell({ cpu }: Result, end: "local" | "remote"): string | undefined {
  const { nsPerTransaction, nsPerKiB } = cpu.serviceDemand?.[end] ?? {};
  if (nsPerTransaction !== undefined) return `${formatTime(nsPerTransaction)}/transaction`;
  return nsPerKiB === undefined ? undefined : `${formatTime(nsPerKiB)}/KiB`;
}

function normalizedCell({ cpu: { normalized } }: Result, end: "local" | "remote"): string | undefined {
  const cores = normalized?.[`${end}Cores`];
  if (normalized === undefined || cores === undefined) return undefined;
  return `${formatCores(cores)} cores at ${formatTarget(normalized)}`;
}

/** The rate that CPU use is scaled to: "100 Gbit/s". */
export function formatTarget({ target, unit }: NonNullable<Result["cpu"]["normalized"]>): string {
  return unit === "bitsPerSecond" ? formatBitRate(target) : formatRate(target);
}

/** Both hosts of each label, as they were in its first run. */
export function hostTable(runs: readonly LabelledRun[]): FigureTable {
  const head = ["label", "end", "host", "kernel", "CPUs", "CPU", "governor", "interface", "MTU", "driver", "cnb-load"];
  const firsts = labelsOf(runs).map((label) => runs.find((run) => run.label === label) as LabelledRun);
  return {
    head,
    rows: firsts.flatMap(({ label, result }) =>
      (["local", "remote"] as const).flatMap((end) => {
        const host = result.host[end];
        if (host === undefined) return [];
        const { hostname, kernel, cpus, cpuModel, governor, mtuBytes, driver, version } = host;
        const place = [hostname, kernel, String(cpus), cpuModel, governor, host.interface, mtuBytes?.toString()];
        return [[label, end === "local" ? "client" : "server", ...place, driver, version]];
      }),
    ),
  };
}

/** How evenly each run's flows were served. */
export function fairnessTable(runs: readonly LabelledRun[]): FigureTable {
  const ofMean = (share: number | undefined): string | undefined =>
    share === undefined ? undefined : `${(share * 100).toFixed(1)} %`;
  const rows = runs.map(({ label, result }) => {
    const fairness = fairnessOf(result.flows);
    const { shares = [] } = fairness ?? {};
    const middle = shares[Math.floor(shares.length / 2)];
    const flows = String(result.flows.length);
    return [label, flows, fairness?.jain.toFixed(3), ofMean(shares[0]), ofMean(middle), ofMean(shares.at(-1))];
  });
  return { head: ["label", "flows", "Jain's index", "least, of the mean", "median", "most"], rows };
}

export interface SharedWarning extends Warning {
  /** Names of the runs that it was given in. */
  runs: string[];
}

/** Each code once, as its first run has it, with the names of the runs that it concerns. */
export function sharedWarnings(runs: readonly LabelledRun[], nameOf: (run: LabelledRun) => string): SharedWarning[] {
  const found = new Map<string, SharedWarning>();
  for (const run of runs) {
    for (const warning of run.result.warnings) {
      const shared = found.get(warning.code) ?? { ...warning, runs: [] };
      shared.runs.push(nameOf(run));
      found.set(warning.code, shared);
    }
  }
  return [...found.values()];
}

/** A table without the columns that are empty in every row. */
export function withoutEmptyColumns({ head, rows }: FigureTable): FigureTable {
  const used = head.map((_, column) => rows.some((row) => (row[column] ?? "") !== ""));
  const kept = <T>(cells: readonly T[]): T[] => cells.filter((_, column) => used[column]);
  return { head: kept(head), rows: rows.map(kept) };
}
