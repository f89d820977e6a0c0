import type { NativeTcpState } from "../../native/index.js";
import type { RawHistogram } from "../../result/raw.js";
import type { CpuFigures } from "../cpu-figures.js";
import type { SocketBuffers } from "../socket-buffers.js";

/** What one end did and had in one iteration. */
export interface MeasuredSide {
  /** SO_SNDBUF and SO_RCVBUF of the fresh socket, and at the end. */
  initial: SocketBuffers;
  final: SocketBuffers;
  /** Sizes in use for sends and receives; 0 or -1 where that end does not. */
  sendBytes: number;
  recvBytes: number;
  sendWidth: number;
  recvWidth: number;
  bytesSent: number;
  bytesReceived: number;
  sendCalls: number;
  recvCalls: number;
  /** Sends of datagrams that the kernel had no memory for; of the client alone. */
  failedSends: number;
  /** -1 where it cannot be told. */
  retransmits: number;
  congestion: string;
  tos: number;
  prio: number;
  /** Undefined where it was not asked for or not to be had. */
  cpu: CpuFigures | undefined;
}

/** One iteration of a test. */
export interface Measurement {
  elapsedSeconds: number;
  /** The client's; 0 for streams. */
  transactions: number;
  mssBytes: number;
  local: MeasuredSide;
  remote: MeasuredSide;
  /** RR and CRR: transactions; streams: calls, where they were timed. */
  latency: RawHistogram | undefined;
  /** Of a connection that lasted the whole test. */
  tcp: NativeTcpState | undefined;
  /** Of the data connection. */
  peerAddress: string;
}
