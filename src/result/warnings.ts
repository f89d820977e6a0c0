/** Reasons why a run's figures may not mean what they seem to: pure functions of what was measured. */
import { formatDuration } from "../options/durations.js";
import { bucketLow } from "./hdr-layout.js";
import { percentiles, totalCount } from "./latency.js";
import type { Warning } from "./model.js";
import { cpuWarnings } from "./warnings-cpu.js";
import { networkWarnings } from "./warnings-network.js";
import { paceWarnings } from "./warnings-pace.js";
import { udpWarnings } from "./warnings-udp.js";
import type { RawHistogram, RawRun } from "./raw.js";
import { unsteady } from "./trend.js";

/** Below this the 10 ms tick of /proc/stat alone is worth more than 1 % of a CPU, and slow start still shows. */
const SHORT_WINDOW_NS = 1e9;
/** Transactions from which on the spread of latencies shows the clock's steps. */
const ENOUGH_FOR_CLOCK = 1000;
/** Steps of the clock above this share of the median show in percentiles. */
const COARSE_SHARE = 0.01;

function sameHost({ sameHost, local, spec: { cpus, serverCpus } }: RawRun): Warning[] {
  if (!sameHost) return [];
  const apart = cpus === null || serverCpus === null ? "keep the two apart with --cpus and --server-cpus and " : "";
  return [
    {
      code: "SAME_HOST",
      message: `Client and server ran on one machine and shared its ${local.host.cpus} CPUs: the CPU figures of both ends are the same whole host's, and no network card was involved`,
      advice: `Put the server on another host to measure a network; here, ${apart}compare processCores`,
    },
  ];
}

function shortRun({ local, spec }: RawRun): Warning[] {
  if (local.windowNs === 0 || local.windowNs >= SHORT_WINDOW_NS) return [];
  return [
    {
      code: "SHORT_RUN",
      message: `The window was ${(local.windowNs / 1e9).toFixed(3)} s long: too short for steady rates, and CPU time is counted in ticks of 10 ms`,
      advice: `Measure for longer than --duration ${formatDuration(spec.durationNs)}: 10s or more`,
    },
  ];
}

/**
 * The smallest step between two latencies that were recorded, ns: that of the clock, or the width of a bucket where the clock is finer.
 * Infinity for fewer than two.
 */
function leastStepNs({ first, counts }: RawHistogram): number {
  let step = Infinity;
  let previous = -Infinity;
  for (let i = 0; i < counts.length; i++) {
    if ((counts[i] ?? 0) === 0) continue;
    step = Math.min(step, bucketLow(first + i) - previous);
    previous = bucketLow(first + i);
  }
  return step;
}

/** Of so many latencies of a fine clock some lie in neighbouring buckets, 0.1 % apart. */
function coarseClock({ local: { latency, host } }: RawRun): Warning[] {
  if (latency === undefined || totalCount(latency) < ENOUGH_FOR_CLOCK) return [];
  const [medianNs = 0] = percentiles(latency, totalCount(latency), [50]);
  const stepNs = leastStepNs(latency);
  // A clock that stood still all the time has no step to show.
  const still = stepNs === Infinity && medianNs === 0;
  if (!still && (stepNs === Infinity || stepNs <= medianNs * COARSE_SHARE)) return [];
  const steps = still
    ? "stood still from each transaction's start to its end"
    : `advanced in steps of about ${stepNs} ns`;
  const source = host.clocksource === undefined ? "" : ` (${host.clocksource})`;
  return [
    {
      code: "COARSE_CLOCK",
      message: `The client's clock${source} ${steps}, with a median latency of ${medianNs} ns: percentiles are those of the clock`,
      advice:
        "Choose a finer clock source on the client (cnb-load doctor names it), or read latencies as no finer than these steps",
    },
  ];
}

function engineUnavailable({ spec, local, remote }: RawRun): Warning[] {
  return Object.entries({ client: local, server: remote }).flatMap(([side, report]) =>
    report?.engineRefusal === undefined
      ? []
      : [
          {
            code: "ENGINE_UNAVAILABLE",
            message: `The ${side} ran engine ${report.engine}, for it could not run ${spec.engine}: ${report.engineRefusal}`,
            advice:
              "Allow io_uring there (sysctl kernel.io_uring_disabled, the container's seccomp profile), or compare with --engine epoll on both ends",
          },
        ],
  );
}

/** Every warning that the figures of a run give rise to. What only the run itself can know (the port budget) is in `raw.warnings`. */
export function deriveWarnings(raw: RawRun): Warning[] {
  return [
    ...sameHost(raw),
    ...shortRun(raw),
    ...engineUnavailable(raw),
    ...paceWarnings(raw),
    ...unsteady(raw.intervals, raw.spec.warmupNs),
    ...coarseClock(raw),
    ...cpuWarnings(raw),
    ...networkWarnings(raw),
    ...udpWarnings(raw),
  ];
}
