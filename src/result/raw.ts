/**
 * What a run hands to `build.ts`: raw figures of both ends. The shapes follow the addon's (`src/native/surface.ts`), which this room
 * does not import. Types only.
 */
import type { Static } from "typebox";
import type { ResolvedSpec } from "../options/spec.js";
import type { ProfileSchema } from "./schema/result.js";
import type { CpuUsage, Interval, NetworkUse, RunState, Warning } from "./model.js";
import type {
  ConnectErrorsSchema,
  CountersSchema,
  EndReportSchema,
  FlowDatagramsSchema,
  SocketSchema,
  TcpInfoSchema,
  TcpSummarySchema,
  ZerocopySchema,
} from "./schema/wire.js";

export type ConnectErrors = Static<typeof ConnectErrorsSchema>;
export type Counters = Static<typeof CountersSchema>;
export type FlowDatagrams = Static<typeof FlowDatagramsSchema>;
export type TcpInfo = Static<typeof TcpInfoSchema>;
export type TcpSummary = Static<typeof TcpSummarySchema>;
export type ZerocopyBytes = Static<typeof ZerocopySchema>;
export type SocketSettings = Static<typeof SocketSchema>;

/**
 * One host's end of a run; JSON-safe, the server sends its own. `cpu` is absent where /proc/stat could not be read.
 * `checkEndReport` of `check.ts` checks one that came from a peer.
 */
export type EndReport = Omit<Static<typeof EndReportSchema>, "cpu" | "network"> & {
  cpu?: CpuUsage | undefined;
  network?: NetworkUse | undefined;
};
export type FlowColumns = EndReport["flows"];

/** `counts[i]` belongs to index `first + i` of HdrHistogram(1, 2^42, 3). min and max are 0 when nothing was recorded. */
export interface RawHistogram {
  first: number;
  counts: ArrayLike<number>;
  /** Exact sum, minimum and maximum of the recorded values, in ns. */
  sumNs: number;
  minNs: number;
  maxNs: number;
}

/** The client's end: it alone measures latency. RR has `latency`, CRR all three. */
export type LocalEnd = EndReport & {
  latency?: RawHistogram | undefined;
  connectLatency?: RawHistogram | undefined;
  requestLatency?: RawHistogram | undefined;
};

export interface RawRun {
  spec: ResolvedSpec;
  /** ISO 8601, UTC. */
  startedAt: string;
  state: RunState;
  local: LocalEnd;
  /** Absent when the server's report never came. */
  remote?: EndReport | undefined;
  intervals: Interval[];
  /** Those that the run itself found; `buildResult` adds those that the figures tell. */
  warnings: Warning[];
  sameHost: boolean;
  /** Only when `state` is "failed". */
  error?: { code: string; message: string } | undefined;
  profile?: Static<typeof ProfileSchema> | undefined;
}

/** Live figures at one moment, for `buildInterval`. */
export interface IntervalPoint {
  /** ns of the client's monotonic clock. */
  atNs: number;
  /** The client's snapshot: what the window has counted so far. */
  local: { windowNs: number; counters: Counters; latency?: RawHistogram | undefined; tcp?: TcpSummary | undefined };
  /** The server's, over its own window. */
  remote?: { windowNs: number; bytesReceived: number; bytesSent: number; tcp?: TcpSummary | undefined } | undefined;
}
