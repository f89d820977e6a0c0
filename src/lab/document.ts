/** What a lab leaves behind: `lab.json`. */
import type { Result } from "../index.js";
import type { Cpus } from "./placement.js";

export const LAB_TESTS = ["stream", "rr", "crr"] as const;
export type LabTest = (typeof LAB_TESTS)[number];

export interface LabOptions {
  /** Names of paths, in the order of the report. */
  paths: readonly string[];
  tests: readonly LabTest[];
  /** Of each test over each path; at most so many where there is a budget. */
  runs: number;
  /** No further round is begun that would not end within this time from the lab's start on; two are made in any case. */
  budgetNs?: number;
  durationNs: number;
  warmupNs: number;
  /** N of "1 and N flows". */
  flows: number;
  mtu: number;
  services: number;
  policies: number;
  /** The first does the client node's work, the second the server node's. */
  cpus: readonly number[];
  meltdown: boolean;
  profile: boolean;
}

export interface PathReport {
  name: string;
  models: string;
  builds: string;
  differs: string;
  variant?: string;
  encrypts?: true;
  /** measured: every run; partly: some runs failed; failed: it could not be built, verified or measured; unavailable: something is missing. */
  state: "measured" | "partly" | "failed" | "unavailable";
  /** Of any state but measured. */
  reason?: string;
  /** How it was proven to be in force. */
  evidence: string[];
}

/** One test with one number of flows. */
export interface Cell {
  test: LabTest;
  flows: number;
}

/** Of one path, every run. CPU is each node's own where the nodes have a CPU each. */
export interface Measurement extends Cell {
  path: string;
  results: Result[];
  /** Of each result, the round that it was made in, from 0 on. */
  rounds: number[];
}

/** One point of the curve: CRR beside a connection tracking table that is filled so far. */
export interface MeltdownPoint {
  path: string;
  /** Share of nf_conntrack_max that was in the table before the run. */
  fill: number;
  entries: number;
  results: Result[];
  /** Connections that were refused room in the table during the runs, by conntrack -S. */
  dropped: number;
  earlyDropped: number;
  /** Runs that did not come to an end. */
  failed: number;
}

export interface Meltdown {
  max: number;
  buckets: number;
  flows: number;
  points: MeltdownPoint[];
}

/** A flame graph in a file beside the report. */
export interface FlameGraph {
  path: string;
  cell: Cell;
  /** Of client node and server node together where they share CPUs. */
  side: "client" | "server";
  svg: string;
  folded: string;
  speedscope: string;
  samples: number;
}

export interface Environment {
  kernel: string;
  cpuModel: string;
  cpus: number;
  memoryBytes: number;
  node: string;
  version: string;
  tools: Record<string, string>;
}

export interface LabDocument {
  schema: "cnb-load/lab/1";
  state: "completed" | "aborted";
  startedAt: string;
  /** As it was typed, for doing it again. */
  command: string;
  options: LabOptions;
  placement: Cpus;
  environment: Environment;
  paths: PathReport[];
  measurements: Measurement[];
  meltdown?: Meltdown;
  meltdownProblem?: string;
  flameGraphs: FlameGraph[];
  profileProblem?: string;
}
