import type { NativePlan } from "../../native/index.js";
import { initialBuffers } from "../socket-buffers.js";
import { MESSAGE_BYTES, type Values, encode, messageType, serverError } from "../wire/fields.js";
import {
  FLAG,
  type OmniRequest,
  TICKS_PER_SECOND,
  TYPE,
  calibration,
  type omniResponse,
  type omniResults,
} from "../wire/omni.js";
import { intervalOf } from "./plan.js";
import type { Job } from "./request.js";
import type { Outcome } from "./served-test.js";

/** The priority asked for could not be set. */
const FAILED = -2;

export function errorReply(type: number, code: number): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  messageType.write(message, type);
  serverError.write(message, code);
  return message;
}

export function calibrationReply(cpus: number): Buffer {
  return encode(calibration, TYPE.calibrate, 0, { rate: TICKS_PER_SECOND, cpus });
}

/** "Ready": where to connect, and what the sockets got. */
export function responseTo(
  request: OmniRequest,
  job: Job,
  plan: NativePlan,
  port: number,
): Partial<Values<typeof omniResponse>> {
  const buffers = initialBuffers(plan, job.udp ? "udp" : "tcp");
  const requests = job.loop === "rr" || job.loop === "crr";
  const exchanges = requests && job.requestBytes > 0;
  const ring = (width: number, size: number, buffer: number): number =>
    width > 0 ? width : requests ? 1 : Math.max(2, Math.floor(buffer / size) + 1);
  const recvSize = exchanges ? job.requestBytes : job.loop === "receive" ? plan.recvSizeBytes : request.recvSize;
  const sendSize = exchanges ? job.responseBytes : job.loop === "send" ? plan.sendSizeBytes : request.sendSize;
  const interval = intervalOf(request);
  return {
    recvBufSize: buffers.rcvbufBytes,
    recvSize,
    recvWidth: job.loop === "send" ? request.recvWidth : ring(request.recvWidth, recvSize, buffers.rcvbufBytes),
    sendBufSize: buffers.sndbufBytes,
    sendSize,
    sendWidth: job.loop === "receive" ? request.sendWidth : ring(request.sendWidth, sendSize, buffers.sndbufBytes),
    flags: request.flags & (FLAG.noDelay | FLAG.measureCpu),
    cpuRate: (request.flags & FLAG.measureCpu) === 0 ? 0 : TICKS_PER_SECOND,
    testLength: Math.max(0, job.seconds),
    recvAvoid: request.recvAvoid,
    sendAvoid: request.sendAvoid,
    dataPort: port,
    intervalBurst: interval.operations,
    intervalUsecs: interval.usecs,
    socketPrio: request.socketPrio < 0 ? -1 : (plan.socketOptions?.SO_PRIORITY ?? FAILED),
    socketTos: plan.foreign?.tos ?? -1,
  };
}

export function resultsOf(
  request: OmniRequest,
  job: Job,
  { end, elapsedSeconds, cpu }: Outcome,
): Partial<Values<typeof omniResults>> {
  const { total, socket, flows } = end;
  const requests = job.loop === "rr" || job.loop === "crr";
  const calls = total.transactions;
  return {
    bytesReceived: total.bytesReceived,
    recvCalls: requests || job.loop === "receive" ? calls : 0,
    recvBufSize: socket.rcvbufBytes,
    bytesSent: total.bytesSent,
    sendCalls: requests || job.loop === "send" ? calls : 0,
    sendBufSize: socket.sndbufBytes,
    transactions: requests ? calls : 0,
    elapsedSeconds,
    ...((request.flags & FLAG.measureCpu) !== 0 && cpu),
    // Connections of CRR are gone by now; there is nothing to ask.
    retransmits: flows.tcpInfo?.[0]?.retransmits ?? -1,
    congestion: (request.flags & FLAG.routing) === 0 ? "" : socket.congestion,
  };
}
