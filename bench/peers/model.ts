/** What is measured: rows, contenders, samples. */

/** Contenders that others are compared with: cnb-load's own two ends, or one of its ends where netperf's would be. */
export type Own = "cnb-load" | "cnb-netperf" | "cnb-netserver";

export type Test = "rr" | "crr" | "stream" | "maerts" | "udp-stream" | "udp-rr";
/** `loopback`: 127.0.0.1; `veth`: two network namespaces joined by a veth pair. */
export type Where = "loopback" | "veth";
/** `same`: both ends on one CPU; `apart`: one CPU each; `free`: nobody is told, every tool places itself. */
export type Pinning = "same" | "apart" | "free";

/** The part of a row that every contender can understand. */
export interface Workload {
  test: Test;
  flows: number;
  /** RR, CRR, UDP_RR: size of request and response, bytes. */
  messageBytes: number;
  /** STREAM, MAERTS, UDP_STREAM: bytes per send; null leaves every tool its default. */
  sendBytes: number | null;
  /** CRR: who closes. Tools that cannot do so have no part in the row. */
  close: "server" | "reset";
}

export interface Row {
  id: string;
  title: string;
  where: Where;
  pinning: Pinning;
  workload: Workload;
  own: Own;
  /** Further arguments of cnb-load's client. */
  ours: readonly string[];
  /** cnb-load looks for the options with the highest figure once (`--best`); the rounds run with those. */
  best: boolean;
  peers: readonly string[];
  /** Part of `--quick`. */
  quick: boolean;
}

/** One run of a row, ready to be put into a command line. */
export interface Setting {
  workload: Workload;
  /** Whole seconds: most tools take no others. */
  seconds: number;
  /** Numeric address of the server. */
  host: string;
  /** Two free ports of the server's. */
  ports: readonly [number, number];
  /** CPU of each end; null = free. */
  cpus: { client: number; server: number } | null;
  /** CPUs that this machine lends. */
  cpuCount: number;
  ours: readonly string[];
  best: boolean;
}

/** What a tool says of itself. */
export interface Figure {
  /** Transactions per second, or bits per second at the receiver where the tool tells. */
  rate: number;
  /** Transactions or payload bytes from start to end, warm-up included. */
  units: number;
}

export interface ClientCommand {
  argv: readonly string[];
  /** Processes that run it at the same time. */
  copies: number;
}

/** A load generator. */
export interface Contender {
  name: string;
  /** Programs that must be on PATH for a test. */
  programs: (test: Test) => readonly string[];
  /** Whether it can do this with the row's semantics. */
  can: (workload: Workload) => boolean;
  /** For how long its client prepares before there is traffic, ms, where that is worth mentioning. */
  leadMs?: number;
  server: (setting: Setting) => readonly string[];
  client: (setting: Setting) => ClientCommand;
  /** Whether it pins itself; others are pinned from outside, as taskset does it. */
  pinsItself: boolean;
  /** Whether its server ends by itself after one test. */
  servesOnce: boolean;
  /** Reads what the client printed (all copies' lines in one). Throws where the expected is not there. */
  read: (stdout: string, setting: Setting) => Figure;
}

/** One run of one contender. */
export interface Sample extends Figure {
  /** User and system time of both ends' whole lives, seconds. */
  cpuSeconds: { client: number; server: number };
  /** The same per second in the middle of the run, where no start and no end is in it. */
  busyCores: { client: number; server: number };
  /** Peak resident memory of all processes of each end, bytes. */
  peakBytes: { client: number; server: number };
}

export interface RowResult {
  row: Row;
  /** Per contender one entry per round, in order; null where that run failed. */
  samples: Record<string, (Sample | null)[]>;
  /** What went wrong, one line each. */
  faults: string[];
}
