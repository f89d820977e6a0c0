/** Warnings about CPUs: where the workers ran, and who ran out first. */
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

function crowded(workers: number, cpus: number, who: string): Warning[] {
  if (workers <= cpus) return [];
  return [
    {
      code: "MORE_WORKERS_THAN_CPUS",
      message: `${who} ran ${workers} workers on ${cpus} CPUs: they waited for each other, and latency includes that`,
      advice:
        "Use fewer workers with --threads (--engine epoll carries many flows on one) or give more CPUs with --cpus and --server-cpus",
    },
  ];
}

function crowding(raw: RawRun): Warning[] {
  const apart = endsOf(raw).flatMap(({ side, report }) => {
    const pinned = new Set(report.cpus.filter((cpu) => cpu >= 0));
    const everyPinned = report.cpus.length > 0 && report.cpus.every((cpu) => cpu >= 0);
    return crowded(report.workers, everyPinned ? pinned.size : report.host.cpus, `The ${side}`);
  });
  if (apart.length > 0 || !raw.sameHost || raw.remote === undefined) return apart;
  return crowded(raw.local.workers + raw.remote.workers, raw.local.host.cpus, "Client and server together");
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
  const options = direction === "sender" ? "--zerocopy msg" : "--rx trunc";
  const relief = raw.spec.test === "tcp_stream" || raw.spec.test === "tcp_maerts" ? `, or try ${options}` : "";
  return [
    {
      code: direction === "sender" ? "SENDER_CPU_BOUND" : "RECEIVER_CPU_BOUND",
      message: `On the ${side} ${where} was ${percent(share)} busy: the ${side}'s CPU, not the network, may have set the limit`,
      advice: `Spread the load with --flows, --threads and ${cpusOption(side)}${relief}`,
    },
  ];
}

function steal({ side, report }: End): Warning[] {
  const share = report.cpu === undefined ? 0 : report.cpu.stealCores / report.cpu.cpus;
  if (report.cpu === undefined || share <= STEAL_SHARE) return [];
  return [
    {
      code: "STEAL",
      message: `The hypervisor took ${percent(share)} of the ${side}'s CPU time (${report.cpu.stealCores.toFixed(2)} of ${report.cpu.cpus} cores) for others`,
      advice: "Repeat the run at a quieter time or on dedicated CPUs; compare several runs before trusting one",
    },
  ];
}

function throttled({ side, report }: End): Warning[] {
  const { throttledNs = 0, throttledPeriods = 0 } = report.cpu?.cgroup ?? {};
  if (throttledNs === 0) return [];
  const limit = report.host.container?.cpuLimitCores;
  const limited = limit === undefined ? "" : ` of ${limit} cores`;
  return [
    {
      code: "THROTTLED",
      message: `The CPU limit${limited} of the ${side}'s cgroup held it back for ${(throttledNs / 1e6).toFixed(0)} ms in ${throttledPeriods} periods`,
      advice: `Raise the container's CPU limit, or use fewer workers with --threads and ${cpusOption(side)}`,
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
    ...(raw.sameHost ? ends.slice(0, 1) : ends).flatMap(steal),
    ...ends.flatMap(throttled),
  ];
}
