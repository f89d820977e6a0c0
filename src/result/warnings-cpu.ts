/** Warnings about CPUs: where the workers ran, and who ran out first. */
import { formatCpuList, formatCpus } from "../options/cpu-lists.js";
import { isRepeated } from "../options/repetition.js";
import { type ResolvedSpec, isBulk } from "../options/spec.js";
import type { Warning } from "./model.js";
import { byDirection } from "./rates.js";
import type { EndReport, RawRun } from "./raw.js";

const BOUND_SHARE = 0.95;
const STEAL_SHARE = 0.01;

type Side = "client" | "server";
interface End {
  side: Side;
  report: EndReport;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const cpusOption = (side: Side): string => (side === "client" ? "--cpus" : "--server-cpus");

function endsOf({ local, remote }: RawRun): End[] {
  const ends: End[] = [{ side: "client", report: local }];
  if (remote !== undefined) ends.push({ side: "server", report: remote });
  return ends;
}

function unpinned({ side, report }: End): Warning[] {
  const loose = report.cpus.filter((cpu) => cpu < 0).length;
  if (loose === 0) return [];
  return [
    {
      code: "UNPINNED",
      message: `${loose} of ${report.workers} workers of the ${side} were not pinned: the scheduler may have moved them about`,
      advice: `Pin them with ${cpusOption(side)} LIST`,
    },
  ];
}

/** How the ends at fault get by with fewer workers: a blocking one carries one flow, and the server counts its CPUs by itself. */
function fewerWorkers({ spec: { flows } }: RawRun, ends: readonly End[]): string {
  const ways = ends.flatMap(({ side, report }) => {
    if (report.engine === "block")
      return flows > 1 ? ["use --engine epoll, which carries many flows on one worker"] : [];
    return side === "client" ? ["use fewer workers with --threads"] : [];
  });
  return [...new Set(ways)].map((way) => `${way}, or `).join("");
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function crowded(raw: RawRun, ends: readonly End[], cpus: number): Warning[] {
  const workers = ends.reduce((sum, { report }) => sum + report.workers, 0);
  if (workers <= cpus) return [];
  const who = ends.length > 1 ? "Client and server together" : `The ${ends[0]?.side ?? "client"}`;
  const options = ends.map(({ side }) => cpusOption(side)).join(" and ");
  return [
    {
      code: "MORE_WORKERS_THAN_CPUS",
      message: `${who} ran ${workers} workers on ${cpus} ${cpus === 1 ? "CPU" : "CPUs"}: they waited for each other, and latency includes that`,
      advice: sentence(`${fewerWorkers(raw, ends)}give more CPUs with ${options}`),
    },
  ];
}

function crowding(raw: RawRun): Warning[] {
  const ends = endsOf(raw);
  const apart = ends.flatMap((end) => {
    const { cpus, host } = end.report;
    const everyPinned = cpus.length > 0 && cpus.every((cpu) => cpu >= 0);
    return crowded(raw, [end], everyPinned ? new Set(cpus).size : host.cpus);
  });
  if (apart.length > 0 || !raw.sameHost || raw.remote === undefined) return apart;
  const together = crowded(raw, ends, raw.local.host.cpus);
  return together.length > 0 ? together : sharedCpus(raw, raw.remote);
}

/** Both ends on one CPU although there are enough for each worker. */
function sharedCpus({ spec, local }: RawRun, remote: EndReport): Warning[] {
  const shared = [...new Set(local.cpus)].filter((cpu) => cpu >= 0 && remote.cpus.includes(cpu));
  if (shared.length === 0) return [];
  const list = formatCpuList(shared.toSorted((a, b) => a - b));
  const given = Object.entries({ "--cpus": spec.cpus, "--server-cpus": spec.serverCpus }).flatMap(([option, cpus]) =>
    cpus === null ? [] : [`${option} ${formatCpus(cpus)}`],
  );
  const instead = given.length === 0 ? "" : `, instead of ${given.join(" and ")}`;
  return [
    {
      code: "SHARED_CPU",
      message: `Workers of both ends ran on CPU ${list}: they took turns, so that neither throughput nor latency is that of two hosts`,
      advice: `Give each end CPUs of its own with --cpus LIST and --server-cpus LIST${instead}`,
    },
  ];
}

/** The busiest CPU that carries a worker; workers that are not pinned are known by their mean alone. */
function busiestWorker({ cpus, cpu, workers, workerCpuNs, windowNs }: EndReport): { where: string; share: number } {
  const busy = (cpu?.perCpu ?? []).filter((one) => cpus.includes(one.cpu));
  const top = busy.reduce((most, one) => (one.busyCores > most.share ? { cpu: one.cpu, share: one.busyCores } : most), {
    cpu: -1,
    share: 0,
  });
  if (top.cpu >= 0) return { where: `CPU ${top.cpu}, which carries a worker,`, share: top.share };
  const share = workers > 0 && windowNs > 0 ? workerCpuNs / (workers * windowNs) : 0;
  return { where: "each worker", share };
}

function bound(raw: RawRun, direction: "sender" | "receiver"): Warning[] {
  const report = byDirection<EndReport>(raw.spec, raw)[direction];
  // A worker that spins keeps its CPU busy whatever the load.
  if (report === undefined || report.engine === "spin") return [];
  const { where, share } = busiestWorker(report);
  if (share <= BOUND_SHARE) return [];
  const side: Side = report === raw.local ? "client" : "server";
  return [
    {
      code: direction === "sender" ? "SENDER_CPU_BOUND" : "RECEIVER_CPU_BOUND",
      message: `On the ${side} ${where} was ${percent(share)} busy: the ${side}'s CPU, not the network, may have set the limit`,
      advice: `Spread the load with ${spreading(raw.spec, side, report)}${relief(raw, direction)}`,
    },
  ];
}

/** A blocking worker carries one flow: only more flows make more workers. The server's workers are as many as its CPUs. */
function spreading({ flows }: ResolvedSpec, side: Side, { engine, workers }: EndReport): string {
  const more = engine === "block" || workers >= flows ? "more --flows" : side === "client" ? "more --threads" : "";
  return [more, `more CPUs (${cpusOption(side)})`].filter((way) => way !== "").join(" and ");
}

/** What would spare the CPU, if it is not in use yet and can help: loopback copies whatever is asked. */
function relief({ spec, sameHost }: RawRun, direction: "sender" | "receiver"): string {
  if (spec.test === "udp_stream") return relieveDatagrams(spec, direction);
  if (!isBulk(spec.test)) return "";
  if (direction === "receiver") return spec.rx === "copy" ? ", or try --rx trunc" : "";
  return spec.zerocopy === "off" && !sameHost ? ", or try --zerocopy msg" : "";
}

function relieveDatagrams({ gso, gro, batch }: ResolvedSpec, direction: "sender" | "receiver"): string {
  const ways = [
    ...(direction === "sender" && !gso ? ["--gso"] : []),
    ...(direction === "receiver" && !gro ? ["--gro"] : []),
    ...(batch === 1 ? ["--batch 32"] : []),
  ];
  return ways.length === 0 ? "" : `, or try ${ways.join(" and ")}`;
}

function steal({ runs, untilCiPct }: ResolvedSpec, { side, report }: End): Warning[] {
  const share = report.cpu === undefined ? 0 : report.cpu.stealCores / report.cpu.cpus;
  if (report.cpu === undefined || share <= STEAL_SHARE) return [];
  const repeated = isRepeated({ runs, untilCiPct });
  return [
    {
      code: "STEAL",
      message: `The hypervisor took ${percent(share)} of the ${side}'s CPU time (${report.cpu.stealCores.toFixed(2)} of ${report.cpu.cpus} cores) for others`,
      advice: `Repeat the run at a quieter time or on dedicated CPUs${repeated ? "" : ", and with --runs 5, which shows how far runs differ"}`,
    },
  ];
}

function throttled(raw: RawRun, end: End): Warning[] {
  const { side, report } = end;
  const { throttledNs = 0, throttledPeriods = 0 } = report.cpu?.cgroup ?? {};
  if (throttledNs === 0) return [];
  const limit = report.host.container?.cpuLimitCores;
  const limited = limit === undefined ? "" : ` of ${limit} cores`;
  return [
    {
      code: "THROTTLED",
      message: `The CPU limit${limited} of the ${side}'s cgroup held it back for ${(throttledNs / 1e6).toFixed(0)} ms in ${throttledPeriods} periods`,
      advice: sentence(`${fewerWorkers(raw, [end])}raise the container's CPU limit`),
    },
  ];
}

export function cpuWarnings(raw: RawRun): Warning[] {
  const ends = endsOf(raw);
  return [
    ...ends.flatMap(unpinned),
    ...crowding(raw),
    ...bound(raw, "sender"),
    ...bound(raw, "receiver"),
    // Two ends of one machine would tell the same steal twice.
    ...(raw.sameHost ? ends.slice(0, 1) : ends).flatMap((end) => steal(raw.spec, end)),
    ...ends.flatMap((end) => throttled(raw, end)),
  ];
}
