/** Reasons why a run's figures may not mean what they seem to: pure functions of what was measured. */
import type { Warning } from "./model.js";
import { cpuWarnings } from "./warnings-cpu.js";
import { networkWarnings } from "./warnings-network.js";
import { paceWarnings } from "./warnings-pace.js";
import type { RawRun } from "./raw.js";
import { unsteady } from "./trend.js";

/** Below this the 10 ms tick of /proc/stat alone is worth more than 1 % of a CPU, and slow start still shows. */
const SHORT_WINDOW_NS = 1e9;

function sameHost({ sameHost, local }: RawRun): Warning[] {
  if (!sameHost) return [];
  return [
    {
      code: "SAME_HOST",
      message: `Client and server ran on one machine and shared its ${local.host.cpus} CPUs: the CPU figures of both ends are the same whole host's, and no network card was involved`,
      advice:
        "Put the server on another host to measure a network; here, keep the two apart with --cpus and --server-cpus and compare processCores",
    },
  ];
}

function shortRun({ local }: RawRun): Warning[] {
  if (local.windowNs === 0 || local.windowNs >= SHORT_WINDOW_NS) return [];
  return [
    {
      code: "SHORT_RUN",
      message: `The window was ${(local.windowNs / 1e9).toFixed(3)} s long: too short for steady rates, and CPU time is counted in ticks of 10 ms`,
      advice: "Measure for longer with --duration, 10s or more",
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
    ...unsteady(raw.intervals),
    ...cpuWarnings(raw),
    ...networkWarnings(raw),
  ];
}
