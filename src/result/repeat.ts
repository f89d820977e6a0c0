/** Several runs of one test made into one result, and how well their mean is known. */
import { isBulk } from "../options/spec.js";
import { compact } from "./compact.js";
import { cpuSection } from "./efficiency.js";
import type { Result, RunState, Warning } from "./model.js";
import {
  addCounters,
  addErrors,
  addNetwork,
  fold,
  foldCounts,
  foldMean,
  foldSum,
  meanCpu,
  mergeFlows,
  mergeLatency,
  mergeTcpInfo,
  sum,
  uniteWarnings,
} from "./repeat-merge.js";
import {
  CONFIDENCE,
  furtherRuns,
  halfWidth,
  loadStudentT,
  sampleOf,
  type Sample,
  type StudentT,
} from "./statistics.js";

export type RunSummary = NonNullable<Result["runs"]>[number];

/** Wider than this, a mean says little. */
const WIDE_PCT = 5;

/** The figure that a test is run for: bits per second (STREAM, MAERTS) or transactions per second. */
function rateOf({ throughput, transactions }: Result): number | undefined {
  return throughput?.bitsPerSecond ?? transactions?.perSecond;
}

function rateSample(results: readonly Result[]): Sample | undefined {
  const rates = results.map(rateOf).filter((rate) => rate !== undefined);
  return rates.length > 0 && rates.length === results.length ? sampleOf(rates) : undefined;
}

function halfWidthPct(sample: Sample, student: StudentT): number | undefined {
  const reach = halfWidth(sample, student);
  return reach === undefined || sample.mean <= 0 ? undefined : (reach / sample.mean) * 100;
}

/** Whether the interval of the mean rate reaches at most `wantedPct` percent of it to each side. */
export async function isNarrow(results: readonly Result[], wantedPct: number): Promise<boolean> {
  const sample = rateSample(results);
  const reached = sample && halfWidthPct(sample, await loadStudentT());
  return reached !== undefined && reached <= wantedPct;
}

export function summarizeRun(result: Result): RunSummary {
  const { latency, cpu, throughput, transactions, window, startedAt } = result;
  const ofHost = (end: "local" | "remote"): RunSummary["cpu"]["local"] =>
    cpu[end] && { busyCores: cpu[end].busyCores, ...cpu.serviceDemand?.[end] };
  const { p50Ns, p90Ns, p99Ns, p99_9Ns } = latency ?? {};
  return compact({
    startedAt,
    durationNs: window.durationNs,
    perSecond: transactions?.perSecond,
    bitsPerSecond: throughput?.bitsPerSecond,
    latency: latency && ({ p50Ns, p90Ns, p99Ns, p99_9Ns } as RunSummary["latency"]),
    cpu: compact({ local: ofHost("local"), remote: ofHost("remote") }),
  });
}

function repeatOf(sample: Sample | undefined, stream: boolean, runs: number, student: StudentT): Result["repeat"] {
  return compact({
    runs,
    meanPerSecond: stream ? undefined : sample?.mean,
    meanBitsPerSecond: stream ? sample?.mean : undefined,
    confidence: CONFIDENCE,
    halfWidthPct: sample && halfWidthPct(sample, student),
  });
}

/** WIDE_INTERVAL, where the mean is known less well than was asked for, or than is of use. */
function wideInterval(sample: Sample | undefined, untilCiPct: number, student: StudentT): Warning[] {
  const reached = sample && halfWidthPct(sample, student);
  const wantedPct = untilCiPct === 0 ? WIDE_PCT : untilCiPct;
  if (sample === undefined || reached === undefined || reached <= wantedPct) return [];
  const further = furtherRuns(sample, (sample.mean * wantedPct) / 100, student);
  const remedy =
    further === undefined
      ? "More runs alone will not do: look for other load, and keep workers on CPUs of their own with --cpus and --server-cpus"
      : `About ${sample.runs + further} runs like these would bring it to ${wantedPct} % (--runs ${sample.runs + further}); longer runs (--duration) and CPUs of their own (--cpus, --server-cpus) may, too`;
  return [
    {
      code: "WIDE_INTERVAL",
      message: `The mean rate of ${sample.runs} runs is known to ${reached.toFixed(1)} % only (half width of its ${CONFIDENCE * 100} % confidence interval)`,
      advice: remedy,
    },
  ];
}

function throughputOf(results: readonly Result[]): Result["throughput"] {
  const all = results.map(({ throughput }) => throughput);
  if (all.includes(undefined)) return undefined;
  const bitsPerSecond = foldMean(all.map((one) => one?.sender?.bitsPerSecond));
  const bytes = foldSum(all.map((one) => one?.sender?.bytes));
  return compact({
    bitsPerSecond: foldMean(all.map((one) => one?.bitsPerSecond)),
    bytes: foldSum(all.map((one) => one?.bytes)),
    sender: bitsPerSecond === undefined || bytes === undefined ? undefined : { bitsPerSecond, bytes },
  });
}

function tallyOf(tallies: readonly Result["transactions"][]): Result["transactions"] {
  const count = foldSum(tallies.map((one) => one?.count));
  const perSecond = foldMean(tallies.map((one) => one?.perSecond));
  return count === undefined || perSecond === undefined ? undefined : { count, perSecond };
}

function openLoopOf(results: readonly Result[]): Result["openLoop"] {
  const backlog = foldSum(results.map(({ openLoop }) => openLoop?.backlog));
  return backlog === undefined ? undefined : { backlog };
}

function connectionsOf(results: readonly Result[]): Result["connections"] {
  const tally = tallyOf(results.map(({ connections }) => connections));
  return tally && { ...tally, errors: addErrors(results.flatMap(({ connections }) => connections?.errors ?? [])) };
}

/** Counts are added, rates are means. */
function datagramsOf(results: readonly Result[]): Result["datagrams"] {
  const all = results.map(({ datagrams }) => datagrams);
  return fold(all, (known) => {
    const total = (name: "received" | "lost" | "late" | "receiverDrops"): number | undefined =>
      foldSum(known.map((one) => one[name]));
    const sent = sum(known.map((one) => one.sent));
    const lost = total("lost");
    return compact({
      sizeBytes: known[0]?.sizeBytes,
      sent,
      sentPerSecond: foldMean(known.map(({ sentPerSecond }) => sentPerSecond)),
      received: total("received"),
      receivedPerSecond: foldMean(known.map(({ receivedPerSecond }) => receivedPerSecond)),
      lost,
      lostPct: lost === undefined || sent === 0 ? undefined : (lost / sent) * 100,
      late: total("late"),
      refused: sum(known.map(({ refused }) => refused)),
      receiverDrops: total("receiverDrops"),
    });
  });
}

async function latenciesOf(
  results: readonly Result[],
): Promise<Pick<Result, "latency" | "connectLatency" | "requestLatency">> {
  const merged = (name: "latency" | "connectLatency" | "requestLatency"): ReturnType<typeof mergeLatency> =>
    mergeLatency(results.map((result) => result[name]));
  return compact({
    latency: await merged("latency"),
    connectLatency: await merged("connectLatency"),
    requestLatency: await merged("requestLatency"),
  });
}

function workersOf(results: readonly Result[], last: Result): Result["workers"] {
  const withMean = (end: "local" | "remote"): Result["workers"]["remote"] =>
    last.workers[end] &&
    compact({ ...last.workers[end], busyCores: foldMean(results.map(({ workers }) => workers[end]?.busyCores)) });
  return compact({ local: withMean("local") ?? last.workers.local, remote: withMean("remote") });
}

/** How a sequence of runs ended. */
export interface Ending {
  state: RunState;
  /** Only when `state` is "failed". */
  error?: Result["error"];
}

/**
 * One result of several runs of one spec, at least one, each completed: rates and CPU are means, counts and histograms sums, `window` the
 * sum of the windows, warnings united; `runs` keeps each run's own figures and `repeat` says how well the mean is known. What describes
 * the set-up (workers, sockets, hosts) is the last run's.
 */
export async function summarizeRuns(
  results: readonly Result[],
  ending: Ending = { state: "completed" },
): Promise<Result> {
  const [first] = results;
  const last = results.at(-1);
  if (first === undefined || last === undefined) throw new RangeError("summarizeRuns: expected at least one result");
  const student = await loadStudentT();
  const sample = rateSample(results);
  const [local, remote] = (["local", "remote"] as const).map((end) => meanCpu(results.map(({ cpu }) => cpu[end])));
  const remoteTotals = addCounters(results.map(({ totals }) => totals.remote));
  const { error: _error, ...settings } = last;
  return compact({
    ...settings,
    state: ending.state,
    error: ending.error,
    startedAt: first.startedAt,
    window: compact({
      durationNs: sum(results.map(({ window }) => window.durationNs)),
      remoteDurationNs: foldSum(results.map(({ window }) => window.remoteDurationNs)),
    }),
    workers: workersOf(results, last),
    throughput: throughputOf(results),
    transactions: tallyOf(results.map(({ transactions }) => transactions)),
    openLoop: openLoopOf(results),
    connections: connectionsOf(results),
    datagrams: datagramsOf(results),
    ...(await latenciesOf(results)),
    cpu: cpuSection(first.spec, sample?.mean, { local, remote }),
    tcpInfo: fold(
      results.map(({ tcpInfo }) => tcpInfo),
      mergeTcpInfo,
    ),
    network: compact({
      local: addNetwork(results.map(({ network }) => network?.local)),
      remote: addNetwork(results.map(({ network }) => network?.remote)),
    }),
    flows: mergeFlows(results.map(({ flows }) => flows)),
    zerocopy: foldCounts(results.map(({ zerocopy }) => zerocopy)),
    rxZerocopy: foldCounts(results.map(({ rxZerocopy }) => rxZerocopy)),
    totals: compact({
      local: addCounters(results.map(({ totals }) => totals.local)) ?? last.totals.local,
      remote: remoteTotals,
    }),
    intervals: results.flatMap(({ intervals }, index) =>
      intervals.map((interval) => ({ run: index + 1, ...interval })),
    ),
    warnings: wideInterval(sample, first.spec.untilCiPct, student).concat(
      uniteWarnings(results.map(({ warnings }) => warnings)),
    ),
    profile: first.profile,
    repeat: repeatOf(sample, isBulk(first.test), results.length, student),
    runs: results.map(summarizeRun),
  });
}
