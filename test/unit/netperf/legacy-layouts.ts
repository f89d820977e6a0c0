/** Layouts of all the messages from before OMNI that were ever recorded, served or not. */
import { f32, i32, u32 } from "../../../src/netperf/wire/fields.js";
import type { Layout } from "../../../src/netperf/wire/fields.js";
import {
  rrRequest,
  rrResponse,
  rrResults,
  streamRequest,
  streamResponse,
  streamResults,
} from "../../../src/netperf/wire/legacy.js";

const udpStreamRequest = {
  recvBufSize: i32(8),
  messageSize: i32(12),
  connect: u32(16),
  recvAlignment: i32(20),
  recvOffset: i32(24),
  checksumOff: u32(28),
  measureCpu: u32(32),
  cpuRate: f32(36),
  testLength: i32(40),
  recvAvoid: u32(44),
  sendAvoid: u32(48),
  dataPort: u32(52),
  family: u32(56),
} as const;

const udpStreamResponse = {
  recvBufSize: i32(8),
  sendBufSize: i32(12),
  measureCpu: u32(16),
  testLength: i32(20),
  dataPort: u32(24),
  cpuRate: f32(28),
  recvAvoid: u32(32),
  sendAvoid: u32(36),
} as const;

const udpStreamResults = {
  messages: u32(8),
  bytes: u32(12),
  elapsedSeconds: f32(16),
  cpuUtil: f32(20),
  cpuMethod: u32(24),
  cpus: u32(28),
} as const;

const STREAM = [streamRequest, streamResponse, streamResults] as const;
const RR = [rrRequest, rrResponse, rrResults] as const;

/** Of request, response and results, by the type of the request: TCP_STREAM, TCP_MAERTS; TCP_RR, UDP_RR, TCP_CRR, TCP_CC; UDP_STREAM. */
export const LEGACY_LAYOUTS: ReadonlyMap<number, readonly [Layout, Layout, Layout]> = new Map<
  number,
  readonly [Layout, Layout, Layout]
>([
  [10, STREAM],
  [94, STREAM],
  [13, RR],
  [19, RR],
  [34, RR],
  [300, RR],
  [16, [udpStreamRequest, udpStreamResponse, udpStreamResults]],
]);
