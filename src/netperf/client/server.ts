/** What a client asks of its server around a test, whichever messages carry it. */
import type { MeasuredSide } from "./measurement.js";

/** What the server says before traffic flows. */
export type ServerReady = Pick<
  MeasuredSide,
  "initial" | "sendBytes" | "recvBytes" | "sendWidth" | "recvWidth" | "tos" | "prio"
> & {
  /** Where to connect. */
  dataPort: number;
};

/** What it says afterwards. */
export type ServerResults = Pick<
  MeasuredSide,
  "final" | "bytesSent" | "bytesReceived" | "sendCalls" | "recvCalls" | "retransmits" | "congestion" | "cpu"
>;

/** Methods throw NetperfExit. */
export interface Server {
  /** Aborted when it has gone. */
  readonly gone: AbortSignal;
  /** Asks for one test; `dataPort` 0 = any. */
  ready(dataPort: number): Promise<ServerReady>;
  /** Of the test that was asked for last. `local`: what this side saw of it. */
  results(timeoutMs: number, local: { bytesSent: number; bytesReceived: number }): Promise<ServerResults>;
}

/** Sizes and values that were not told. */
export const UNTOLD = {
  ...{ sendBytes: -1, recvBytes: -1, sendWidth: -1, recvWidth: -1, tos: -1, prio: -1 },
} as const;
