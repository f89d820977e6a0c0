/** Messages from before OMNI. netperf 2.7 still sends the STREAM request for TCP_SENDFILE and TCP_MSS, and the RR request for TCP_CC. */
import { f32, f64, i32, u32 } from "./fields.js";

/** Types of requests; the response's is one more, the results' two more. Servers answer the rest of their kind with UNKNOWN_TEST. */
export const LEGACY = { tcpStream: 10, tcpCc: 300 } as const;

/** `size` is that of the server's receives, 0 = its choice. */
export const streamRequest = {
  sendBufSize: i32(8),
  recvBufSize: i32(12),
  size: i32(16),
  alignment: i32(20),
  offset: i32(24),
  noDelay: u32(28),
  measureCpu: u32(32),
  cpuRate: f32(36),
  testLength: i32(40),
  recvAvoid: u32(44),
  sendAvoid: u32(48),
  dirtyCount: i32(52),
  cleanCount: i32(56),
  dataPort: u32(60),
  family: u32(64),
} as const;

export const streamResponse = {
  recvBufSize: i32(8),
  size: i32(12),
  noDelay: u32(16),
  measureCpu: u32(20),
  testLength: i32(24),
  sendBufSize: i32(28),
  dataPort: u32(32),
  cpuRate: f32(36),
  recvAvoid: u32(40),
  sendAvoid: u32(44),
} as const;

export const streamResults = {
  bytes: f64(8),
  calls: u32(16),
  elapsedSeconds: f32(20),
  cpuUtil: f32(24),
  serviceDemand: f32(28),
  cpuMethod: u32(32),
  cpus: u32(36),
} as const;

export const rrRequest = {
  recvBufSize: i32(8),
  sendBufSize: i32(12),
  recvAlignment: i32(16),
  recvOffset: i32(20),
  sendAlignment: i32(24),
  sendOffset: i32(28),
  requestSize: i32(32),
  responseSize: i32(36),
  noDelay: u32(40),
  measureCpu: u32(44),
  cpuRate: f32(48),
  testLength: i32(52),
  recvAvoid: u32(56),
  sendAvoid: u32(60),
  dataPort: u32(64),
  family: u32(68),
} as const;

export const rrResponse = {
  recvBufSize: i32(8),
  noDelay: u32(12),
  measureCpu: u32(16),
  testLength: i32(20),
  sendBufSize: i32(24),
  dataPort: u32(28),
  cpuRate: f32(32),
  recvAvoid: u32(36),
  sendAvoid: u32(40),
} as const;

export const rrResults = {
  bytes: u32(8),
  recvCalls: u32(12),
  transactions: u32(16),
  elapsedSeconds: f32(20),
  cpuUtil: f32(24),
  serviceDemand: f32(28),
  cpuMethod: u32(32),
  cpus: u32(36),
} as const;
