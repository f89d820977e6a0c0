/** The messages in which clients ask for tests, in terms of OMNI, which says all that the others can. */
import { MESSAGE_BYTES, type Values, decode, encode } from "../wire/fields.js";
import {
  LEGACY,
  rrRequest,
  rrResponse,
  rrResults,
  streamRequest,
  streamResponse,
  streamResults,
} from "../wire/legacy.js";
import {
  DIRECTION,
  FLAG,
  type OmniRequest,
  type OmniResponse,
  type OmniResults,
  PROTOCOL,
  SOCKET_TYPE,
  TYPE,
  omniRequest,
  omniResponse,
  omniResults,
} from "../wire/omni.js";

export interface Dialect {
  /** Types of its answers. */
  responseType: number;
  resultsType: number;
  request: (message: Buffer) => OmniRequest;
  response: (values: Partial<OmniResponse>) => Buffer;
  /** `error`: an errno, 0 = it went well. */
  results: (values: Partial<OmniResults>, error: number) => Buffer;
}

const omni: Dialect = {
  responseType: TYPE.omniResponse,
  resultsType: TYPE.omniResults,
  request: (message) => decode(omniRequest, message),
  response: (values) => encode(omniResponse, TYPE.omniResponse, 0, values),
  results: (values, error) => encode(omniResults, TYPE.omniResults, error, values),
};

/** An OMNI request of which nothing but the defaults is known. */
function plainRequest(): OmniRequest {
  const values = decode(omniRequest, Buffer.alloc(MESSAGE_BYTES));
  const unset = { sendBufSize: -1, recvBufSize: -1, sendSize: -1, recvSize: -1, socketPrio: -1, socketTos: -1 };
  const tcp = { socketType: SOCKET_TYPE.stream, protocol: PROTOCOL.tcp };
  return { ...values, ...unset, ...tcp, requestSize: -1, responseSize: -1 };
}

function flagsOf(noDelay: number, measureCpu: number): number {
  return FLAG.routing | (noDelay === 0 ? 0 : FLAG.noDelay) | (measureCpu === 0 ? 0 : FLAG.measureCpu);
}

function commonRequest(values: Values<typeof streamRequest> | Values<typeof rrRequest>): Partial<OmniRequest> {
  const { sendBufSize, recvBufSize, noDelay, measureCpu, cpuRate, dataPort, family, recvAvoid, sendAvoid } = values;
  // The older messages have 0 for "not set" as well.
  const buffers = { sendBufSize: sendBufSize > 0 ? sendBufSize : -1, recvBufSize: recvBufSize > 0 ? recvBufSize : -1 };
  return { ...buffers, flags: flagsOf(noDelay, measureCpu), cpuRate, dataPort, family, recvAvoid, sendAvoid };
}

function commonResponse(values: Partial<OmniResponse>): {
  noDelay: number;
  measureCpu: number;
} {
  const flags = values.flags ?? 0;
  return { noDelay: flags & FLAG.noDelay, measureCpu: (flags & FLAG.measureCpu) === 0 ? 0 : 1 };
}

/** TCP_SENDFILE and TCP_MSS: the server receives. */
const stream: Dialect = {
  responseType: LEGACY.tcpStream + 1,
  resultsType: LEGACY.tcpStream + 2,
  request(message) {
    const values = decode(streamRequest, message);
    return {
      ...plainRequest(),
      ...commonRequest(values),
      direction: DIRECTION.receive,
      recvSize: values.size > 0 ? values.size : -1,
      recvAlignment: values.alignment,
      recvOffset: values.offset,
      // It may be a number of bytes as well as one of seconds, and nothing tells which. The end of the stream ends the test.
      testLength: 0,
    };
  },
  response: (values) =>
    encode(streamResponse, stream.responseType, 0, {
      ...commonResponse(values),
      ...{ recvBufSize: values.recvBufSize, sendBufSize: values.sendBufSize, size: values.recvSize },
      ...{ dataPort: values.dataPort, cpuRate: values.cpuRate },
      ...{ recvAvoid: values.recvAvoid, sendAvoid: values.sendAvoid },
    }),
  results: (values, error) =>
    encode(streamResults, stream.resultsType, error, {
      ...{ bytes: values.bytesReceived, calls: values.recvCalls, elapsedSeconds: values.elapsedSeconds },
      ...{ cpuUtil: values.cpuUtil, cpuMethod: values.cpuMethod, cpus: values.cpus },
    }),
};

/** TCP_CC: connections and nothing on them. */
const connections: Dialect = {
  responseType: LEGACY.tcpCc + 1,
  resultsType: LEGACY.tcpCc + 2,
  request(message) {
    const values = decode(rrRequest, message);
    const common = commonRequest(values);
    return {
      ...plainRequest(),
      ...common,
      flags: (common.flags ?? 0) | FLAG.connection,
      direction: 0,
      testLength: values.testLength,
    };
  },
  response: (values) =>
    encode(rrResponse, connections.responseType, 0, {
      ...commonResponse(values),
      ...{ recvBufSize: values.recvBufSize, sendBufSize: values.sendBufSize },
      ...{ dataPort: values.dataPort, cpuRate: values.cpuRate, testLength: values.testLength },
    }),
  results: (values, error) =>
    encode(rrResults, connections.resultsType, error, {
      ...{ transactions: values.transactions, elapsedSeconds: values.elapsedSeconds },
      ...{ cpuUtil: values.cpuUtil, cpuMethod: values.cpuMethod, cpus: values.cpus },
    }),
};

/** By the type of the request. */
export const DIALECTS: ReadonlyMap<number, Dialect> = new Map([
  [TYPE.omniRequest, omni],
  [LEGACY.tcpStream, stream],
  [LEGACY.tcpCc, connections],
]);
