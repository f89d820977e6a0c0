/** The OMNI messages, which carry every test that this room knows. "Local" is netperf, "server" is netserver. */
import { type Values, f32, i32, raw, text, u32, u64 } from "./fields.js";

/** Message types. Everything else is answered with {@link UNKNOWN_TEST}. */
export const TYPE = {
  debugOn: 1,
  debugOff: 2,
  debugOk: 3,
  calibrate: 5,
  passphrase: 6,
  omniRequest: 97,
  omniResponse: 98,
  omniResults: 99,
} as const;

/** Error word of an answer to a request that the server does not know. */
export const UNKNOWN_TEST = 998;

/** As the server sees it. */
export const DIRECTION = { transmit: 0x2, receive: 0x4 } as const;
export const FAMILY = { unspecified: 0, ipv4: 4, ipv6: 6 } as const;
export const SOCKET_TYPE = { stream: 1, datagram: 2 } as const;
export const PROTOCOL = { tcp: 6, udp: 17 } as const;

export const FLAG = {
  noDelay: 0x1,
  /** One connection per transaction. */
  connection: 0x4,
  measureCpu: 0x8,
  /** When clear the server shall not route; at the same time: report the congestion control. */
  routing: 0x20,
  /** UDP: answer from the address that was asked; connect the socket to the first that asks. */
  packetInfo: 0x2000,
  connectDatagrams: 0x4000,
  deferAccept: 0x8000,
  /** Path MTU discovery: never fragment. */
  pathMtu: 0x10000,
  keepAlive: 0x80000000,
} as const;

/** -1 stands for "not set" in sizes. A test length is in seconds when positive, a count of transactions or bytes when negative. */
export const omniRequest = {
  sendBufSize: i32(8),
  sendSize: i32(12),
  sendAlignment: u32(16),
  sendOffset: u32(20),
  sendWidth: u32(24),
  requestSize: i32(28),
  recvBufSize: i32(32),
  recvSize: i32(36),
  recvAlignment: u32(40),
  recvOffset: u32(44),
  recvWidth: u32(48),
  responseSize: i32(52),
  flags: u32(56),
  cpuRate: f32(60),
  testLength: i32(64),
  recvAvoid: u32(68),
  sendAvoid: u32(72),
  sendDirtyCount: i32(76),
  recvDirtyCount: i32(80),
  recvCleanCount: i32(84),
  dataPort: u32(88),
  family: u32(92),
  socketType: u32(96),
  protocol: u32(100),
  direction: u32(104),
  localPort: u32(108),
  /** Operations per interval, and the interval in microseconds. */
  intervalBurst: u32(112),
  intervalUsecs: u32(116),
  localAddress: raw(120, 16),
  serverAddress: raw(136, 16),
  socketPrio: i32(152),
  socketTos: i32(156),
  congestion: text(160, 16),
  fillFile: text(176, 32),
} as const;
export type OmniRequest = Values<typeof omniRequest>;

export const omniResponse = {
  recvBufSize: i32(8),
  recvSize: i32(12),
  recvWidth: i32(16),
  sendBufSize: i32(20),
  sendSize: i32(24),
  sendWidth: i32(28),
  flags: u32(32),
  cpuRate: f32(36),
  testLength: u32(40),
  recvAvoid: u32(44),
  sendAvoid: u32(48),
  dataPort: u32(52),
  intervalBurst: u32(56),
  intervalUsecs: u32(60),
  cpuFrequency: u32(64),
  securityInfo: u32(68),
  socketPrio: i32(72),
  socketTos: i32(76),
  systemModel: text(80, 33),
  cpuModel: text(113, 80),
  security: text(193, 16),
} as const;
export type OmniResponse = Values<typeof omniResponse>;

/** CPU figures are percent of the whole machine. */
export const omniResults = {
  bytesReceived: u64(8),
  recvCalls: u32(16),
  recvBufSize: i32(20),
  bytesSent: u64(24),
  sendCalls: u32(32),
  sendBufSize: i32(36),
  failedSends: u32(40),
  transactions: u32(44),
  elapsedSeconds: f32(48),
  cpuUtil: f32(52),
  cpuUser: f32(56),
  cpuSystem: f32(60),
  cpuIowait: f32(64),
  cpuIrq: f32(68),
  cpuSoftirq: f32(72),
  serviceDemand: f32(76),
  cpuMethod: u32(80),
  cpus: u32(84),
  peakCpu: i32(88),
  peakCpuUtil: f32(92),
  nicVendor: i32(96),
  nicDevice: i32(100),
  nicSubvendor: i32(104),
  nicSubdevice: i32(108),
  retransmits: i32(112),
  congestion: text(276, 16),
} as const;
export type OmniResults = Values<typeof omniResults>;

/** The answer to a calibration: ticks per second, and how many CPUs there are. */
export const calibration = { rate: f32(8), cpus: u32(12) } as const;

export const passphrase = { text: text(8, 648) } as const;

/** Code of "CPU use from /proc/stat" in the results, and its letter in tables; 0 and "U" = not measured. */
export const CPU_METHODS: Readonly<Record<number, string>> = {
  ...{ 0: "U", 1: "I", 2: "P", 3: "T", 4: "L", 5: "R", 6: "N" },
  ...{ 7: "K", 8: "S", 9: "C", 10: "E", 11: "M", 12: "O" },
};
export const PROC_STAT = 8;
/** Rate that goes with it: ticks of /proc/stat per second. */
export const TICKS_PER_SECOND = 100;
