import { constants } from "node:os";
import type { Loop } from "../../native/index.js";
import type { TestName } from "../../options/spec.js";
import { DIRECTION, FLAG, type OmniRequest, PROTOCOL, SOCKET_TYPE, UNKNOWN_TEST } from "../wire/omni.js";

const { EINVAL, ENOMEM } = constants.errno;
/** No test needs more per send, receive, request or response; each may be allocated. */
const MAX_BUFFER_BYTES = 64 * 1024 * 1024;

/** A request that is turned down; `code` is the error word of the answer. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an OMNI request asks this server to do. */
export interface Job {
  test: TestName;
  udp: boolean;
  /** The server's half. */
  loop: Loop;
  requestBytes: number;
  responseBytes: number;
  /** 0 where the client leaves the size to the server. */
  sendSizeBytes: number;
  recvSizeBytes: number;
  /** 0 = not timed. */
  seconds: number;
  /** Transactions, or bytes; 0 = not counted. */
  limit: number;
}

/** Throws Refusal. */
export function jobOf(request: OmniRequest): Job {
  const { protocol, socketType, direction, flags, testLength } = request;
  const udp = isUdp(socketType, protocol);
  const connection = (flags & FLAG.connection) !== 0;
  const [test, loop] = kindOf(direction, connection, udp);
  const requests = loop === "rr" || test === "tcp_crr";
  const unused = test === "tcp_cc" ? 0 : 1;
  return {
    test,
    udp,
    loop,
    requestBytes: requests ? exactSize("request", request.requestSize) : unused,
    responseBytes: requests ? exactSize("response", request.responseSize) : unused,
    sendSizeBytes: loop === "send" ? freeSize("send", request.sendSize) : 0,
    recvSizeBytes: loop === "receive" ? freeSize("receive", request.recvSize) : 0,
    seconds: Math.max(0, testLength),
    limit: Math.max(0, -testLength),
  };
}

function isUdp(socketType: number, protocol: number): boolean {
  if (socketType === SOCKET_TYPE.stream && (protocol === PROTOCOL.tcp || protocol === 0)) return false;
  if (socketType === SOCKET_TYPE.datagram && (protocol === PROTOCOL.udp || protocol === 0)) return true;
  throw new Refusal(UNKNOWN_TEST, `protocol ${protocol} with socket type ${socketType} is not supported`);
}

function kindOf(direction: number, connection: boolean, udp: boolean): [TestName, Loop] {
  const both = DIRECTION.transmit | DIRECTION.receive;
  if (!connection && direction === both) return [udp ? "udp_rr" : "tcp_rr", "rr"];
  if (!connection && direction === DIRECTION.receive) return [udp ? "udp_stream" : "tcp_stream", "receive"];
  if (!connection && direction === DIRECTION.transmit && !udp) return ["tcp_maerts", "send"];
  if (connection && direction === both && !udp) return ["tcp_crr", "crr"];
  if (connection && direction === 0 && !udp) return ["tcp_cc", "crr"];
  const how = `${udp ? " over UDP" : ""}${connection ? " by connection" : ""}`;
  throw new Refusal(UNKNOWN_TEST, `direction ${direction}${how} is not supported`);
}

function exactSize(what: string, bytes: number): number {
  if (bytes < 1) throw new Refusal(EINVAL, `${what} size ${bytes}: expected at least 1`);
  return freeSize(what, bytes);
}

function freeSize(what: string, bytes: number): number {
  if (bytes > MAX_BUFFER_BYTES)
    throw new Refusal(ENOMEM, `${what} size ${bytes}: at most ${MAX_BUFFER_BYTES} are granted`);
  return Math.max(0, bytes);
}
