import { renderProbe } from "../report/best.js";
import { renderFigures, renderInterval } from "../report/summary.js";
import { formatSeconds } from "../report/units.js";
import type { Interval, Probe, Result } from "../result/model.js";
import { note } from "./output.js";

/** What a person sees while a run goes on, on stderr. */
export interface Progress {
  interval(interval: Interval): void;
  /** One of the probes before the run is done. */
  probe?(probe: Probe): void;
  /** One run of several is done. */
  run?(result: Result, run: number): void;
  /** Leaves the terminal as if nothing had been there. */
  end(): void;
}

export interface ProgressOptions {
  /** Shown until the first figures arrive. */
  label: string;
  durationNs: number;
  /** A line for every interval, terminal or not. */
  lines: boolean;
  quiet: boolean;
}

export function startProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { interval: () => undefined, end: () => undefined };
  if (options.lines) return intervalLines(options);
  if (!process.stderr.isTTY) return { interval: () => undefined, run: tellRun, probe: tellProbe, end: () => undefined };
  return liveLine(options);
}

function intervalLines({ label }: ProgressOptions): Progress {
  note(`${label}\n`);
  return {
    interval: (interval) => note(`${renderInterval(interval)}\n`),
    run: tellRun,
    probe: tellProbe,
    end: () => undefined,
  };
}

function tellRun(result: Result, run: number): void {
  note(`run ${run}: ${renderFigures(result)}\n`);
}

function tellProbe(probe: Probe): void {
  note(`probe: ${renderProbe(probe)}\n`);
}

export const CLEAR_LINE = "\r\x1b[K";

/** Replaces the terminal's current line. */
export function showLive(text: string): void {
  note(`${CLEAR_LINE}${text.slice(0, width() - 1)}`);
}

function liveLine({ label, durationNs }: ProgressOptions): Progress {
  showLive(`${label} ...`);
  return {
    interval: (interval) => {
      const elapsedNs = interval.startNs + interval.durationNs;
      const leftNs = Math.max(0, durationNs - elapsedNs);
      const times = `${formatSeconds(elapsedNs)} of ${formatSeconds(durationNs)}, ETA ${formatSeconds(leftNs)}`;
      const run = interval.run === undefined ? "" : `, run ${interval.run}`;
      showLive(`${label}${run}: ${renderFigures(interval)}  (${times})`);
    },
    probe: (probe) => {
      showLive(`${label}, probing: ${renderProbe(probe)}`);
    },
    run: (result, run) => {
      note(CLEAR_LINE);
      tellRun(result, run);
    },
    end: () => note(CLEAR_LINE),
  };
}

/** A terminal that does not know its size says 0. */
function width(): number {
  return process.stderr.columns > 0 ? process.stderr.columns : 80;
}
