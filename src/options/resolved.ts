export type TestName = "tcp_stream" | "tcp_maerts" | "tcp_rr" | "tcp_crr" | "tcp_cc" | "udp_stream" | "udp_rr";
/** CPUs of a NUMA node ("numa:0"), or near a network card ("nic:eth0"), as the host that they are for knows them. */
export type CpuGroup = `numa:${number}` | `nic:${string}`;
export type Family = "any" | "ipv4" | "ipv6";
export type EngineChoice = "auto" | "block" | "epoll" | "spin" | "uring";
export type CloseMode = "server" | "client" | "reset";
export type ZerocopyMode = "off" | "msg" | "sendfile";
export type Spacing = "poisson" | "constant";
export type RxMode = "copy" | "trunc" | "zerocopy";

/** Every option of a run as resolved. JSON-safe: it goes over the wire to the server and into the result. */
export interface ResolvedSpec {
  test: TestName;
  host: string;
  /** The server's control port. */
  port: number;
  family: Family;
  durationNs: number;
  warmupNs: number;
  /** 0 = no intervals. */
  intervalNs: number;
  /** Rate that normalised CPU is stated at, in the test's own unit; 0 = the test's usual one. */
  cpuAtPerSecond: number;
  /** Runs of which the result is made; with `untilCiPct` at most so many. null = one, with `untilCiPct` up to 30. */
  runs: number | null;
  /** Repeat until the interval of the mean reaches this far to each side, percent of the mean; 0 = not asked for. */
  untilCiPct: number;
  /** Probes choose what was not given. */
  best: boolean;
  flows: number;
  /** null = chosen automatically. */
  threads: number | null;
  /** CPUs of the client's workers; null = spread over the allowed ones. */
  cpus: number[] | CpuGroup | null;
  serverCpus: number[] | CpuGroup | null;
  engine: EngineChoice;
  requestBytes: number;
  responseBytes: number;
  /** RR, UDP_RR: further requests in flight per flow beside the first. */
  burst: number;
  /** RR: messages of a flow that are due together go out in one send. */
  coalesce: boolean;
  /** All but bulk tests: transactions begun per second, of all flows together; 0 = closed loop. */
  ratePerSecond: number;
  spacing: Spacing;
  /** CRR, CC: which side closes first; `reset` = the client closes with RST. */
  close: CloseMode;
  /** CRR: the request travels with the SYN where the kernels allow it. */
  fastOpen: boolean;
  /** CRR: the server is woken when the request is there. */
  deferAccept: boolean;
  /** 0 = auto: probes choose (never so in a result); UDP_STREAM: the largest datagram that fits the path. */
  sendSizeBytes: number;
  recvSizeBytes: number;
  /** STREAM, MAERTS: what the receiver is woken for (SO_RCVLOWAT); 0 = whatever has come, null = automatic. */
  rxLowatBytes: number | null;
  /** STREAM, MAERTS: the most that waits at the sender to be sent for the first time (TCP_NOTSENT_LOWAT); 0 = as the kernel has it. */
  notsentLowatBytes: number;
  /** STREAM, MAERTS, UDP_STREAM: payload that the sender is paced to, of all flows together; 0 = not paced. */
  bandwidthBitsPerSecond: number;
  /** UDP_STREAM: datagrams per system call. */
  batch: number;
  /** UDP_STREAM: the sender's kernel cuts (UDP_SEGMENT), the receiver's puts together (UDP_GRO). */
  gso: boolean;
  gro: boolean;
  /** UDP_RR: a request without an answer by then is lost. */
  retryAfterNs: number;
  zerocopy: ZerocopyMode;
  rx: RxMode;
  /** 0 = kernel autotuning. */
  sndbufBytes: number;
  rcvbufBytes: number;
  noDelay: boolean;
  /** "" = the system's default. */
  congestion: string;
  /** 0 = the kernel's choice. */
  mssBytes: number;
  /** Local addresses of the client, used in turn; empty lets the kernel choose. */
  bind: string[];
  /** CRR, CC: inclusive range of source ports walked explicitly; null lets the kernel choose. */
  localPorts: [number, number] | null;
  /** 0 = ephemeral. */
  dataPort: number;
}

export interface ResolvedServeOptions {
  /** "" = every address. */
  host: string;
  /** 0 = ephemeral. */
  port: number;
  /** Fixed data port of every session, 0 = ephemeral. */
  dataPort: number;
  /** CPUs of the server's workers; null = spread over the allowed ones. */
  cpus: number[] | CpuGroup | null;
  maxSessions: number;
  /** For clients with one address; null = as many as for all. */
  maxSessionsPerClient: number | null;
  /** Per session. */
  maxFlows: number;
  maxDurationNs: number;
  /** Payload per session in each direction; 0 = no limit. */
  maxBandwidthBitsPerSecond: number;
  /** Of buffers, per session. */
  maxMemoryBytes: number;
  /** CIDRs of the clients that may come; empty = all. */
  allow: string[];
  /** File of the secret that clients must know, "" = none. */
  tokenFile: string;
  /** Files of the server's certificate and key, and of certificates that vouch for clients; "" = none. */
  tlsCert: string;
  tlsKey: string;
  tlsCa: string;
  /** netperf's clients may come where others must prove themselves. */
  allowNetperf: boolean;
  /** End after so long without a session; 0 = never. */
  idleExitNs: number;
  /** End after one session. */
  once: boolean;
}
