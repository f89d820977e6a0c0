/**
 * The whole surface of the addon, as seen from TypeScript. `native/binding` implements exactly this and nothing else.
 * Every number is a plain double holding an integer; times are nanoseconds of CLOCK_MONOTONIC.
 */

/** The half of a test that one host runs. STREAM is send→receive; MAERTS is the same pair with the hosts swapped. */
export type Loop = "send" | "receive" | "rr" | "crr";
/** `block`: one flow per worker; the others carry any number. `uring` has no `zerocopy: "sendfile"` and no `rx: "zerocopy"`. */
export type NativeEngine = "block" | "epoll" | "spin" | "uring";

/** What one host runs. Validated in `src/run`; the addon checks types and ranges again. */
export interface NativePlan {
  role: "client" | "server";
  loop: Loop;
  engine: NativeEngine;
  /** Connections alive at a time, or sockets of UDP. */
  flows: number;
  /** One entry per worker: the CPU it is pinned to, or -1 to leave it unpinned. */
  cpus: number[];
  /** Numeric address: the peer (client) or where to listen (server). A link-local IPv6 address carries its `%scope`. */
  address: string;
  /** The server's data port (client); the port to listen on, 0 for an ephemeral one (server). */
  port: number;
  /** Client: local addresses to bind, used in turn; empty lets the kernel choose. Server: peers allowed to connect; empty allows all. */
  addresses: string[];
  /** Client, CRR: inclusive range of source ports walked explicitly, or null to let the kernel choose. Foreign: the first is the flow's. */
  localPorts: [number, number] | null;
  /** 16 bytes that each long-lived connection must present (not CRR). */
  cookie: Uint8Array;
  /** SO_SNDBUF / SO_RCVBUF in bytes, 0 = kernel autotuning. */
  sndbufBytes: number;
  rcvbufBytes: number;
  /** TCP_NODELAY. */
  noDelay: boolean;
  /** TCP_CONGESTION name, "" = the system's default. */
  congestion: string;
  /** TCP_MAXSEG, 0 = the kernel's choice. */
  mssBytes: number;
  sendSizeBytes: number;
  recvSizeBytes: number;
  /** CRR with both of 0 is CC: connections without a byte. */
  requestBytes: number;
  responseBytes: number;
  /** RR: further requests kept in flight per flow beside the first. */
  burst: number;
  /** RR: messages of a flow that are due together go out in one send. */
  coalesce: boolean;
  /** RR and CRR clients: transactions begun per second, of all flows together; 0 = each upon the one before. */
  ratePerSecond: number;
  /** Of `ratePerSecond`, in each flow. */
  spacing: "poisson" | "constant";
  /** Senders: payload that TCP is paced to, of all flows together; 0 = not paced. */
  bandwidthBitsPerSecond: number;
  zerocopy: "off" | "msg" | "sendfile";
  rx: "copy" | "trunc" | "zerocopy";
  /** SO_RCVLOWAT of a receiver's flows, 0 = not set, -1 = follows the rate of each. */
  rxLowatBytes: number;
  /** TCP_NOTSENT_LOWAT of a sender's flows, 0 = not set. */
  notsentLowatBytes: number;
  /** CRR: which side closes first; `reset` = the client closes with RST (SO_LINGER 0). */
  close: "server" | "client" | "reset";
  /** Present where the flows are of UDP: loops send, receive and rr, engines block, epoll and spin. `sendSizeBytes` of 0 is what fits the path. */
  udp?: NativeUdp | undefined;
  /**
   * Integer options by their names in socket(7), tcp(7) and ip(7), set on the sockets of flows and on the listener, whose connections inherit
   * most (those of CRR get no others).
   */
  socketOptions?: NativeSocketOptions | undefined;
  /** How long connecting (client) or admitting (server) all flows may take. */
  setupTimeoutMs: number;
  /** Present where the peer is no cnb-load, and `cookie` means nothing. Engine `block` only. */
  foreign?: NativeForeign | undefined;
}

export interface NativeUdp {
  /** Datagrams per system call, 1 to 64; with `gso` trains of them. */
  batch: number;
  /** Sender: UDP_SEGMENT, the kernel cuts trains of up to 64 KiB into datagrams. */
  gso: boolean;
  /** Receiver: UDP_GRO, the kernel hands over trains. */
  gro: boolean;
  /** RR client: a request that has not been answered by then is lost, 0 = never. */
  retryTimeoutMs: number;
}

/**
 * What differs with a peer such as netperf. Its connections carry the test's own bytes and nothing else; the server admits them by
 * `addresses`. Closing the window lets a client end its flows in band: it sends no more, half-closes and reads to the end of stream;
 * then the session ends by itself. STREAM counts its calls as transactions, and keeps a bandwidth by them.
 *
 * With `udp` nothing travels but the test's own datagrams. The server takes those of `addresses` (of the first that comes, where there are
 * none), and a datagram of no bytes ends its session as the end of a connection would ("PEER_CLOSED"). The client's end of the window sends
 * three such. Only a client may send (STREAM).
 */
export interface NativeForeign {
  /** The loop ends after as many transactions (RR, CRR) or bytes (send), 0 = never. */
  limit: number;
  /** IP_TOS or IPV6_TCLASS, -1 leaves it. */
  tos: number;
  /** What is sent, over and over (not with `zerocopy` of "msg"); bytes that do not compress where it is absent. */
  payload?: Uint8Array | undefined;
  /** STREAM client: `latency` holds the time that each call took. */
  timeCalls: boolean;
}

export type NativeSocketOptions = Partial<
  Record<
    | "SO_DEBUG"
    | "SO_DONTROUTE"
    | "SO_KEEPALIVE"
    | "SO_MAX_PACING_RATE"
    | "SO_PRIORITY"
    | "TCP_CORK"
    | "TCP_DEFER_ACCEPT"
    | "TCP_FASTOPEN"
    | "TCP_FASTOPEN_CONNECT"
    | "IP_MTU_DISCOVER"
    | "IP_MULTICAST_TTL"
    | "IPV6_MTU_DISCOVER",
    number
  >
>;

/** A fault that ended the session, or null. `phase` is "listen", "connect", "admit", "pin", "buffers", "traffic" or "thread". */
export interface NativeFault {
  phase: string;
  /** The failing call, e.g. "connect"; "" where no call failed (the peer closed, a deadline passed). */
  syscall: string;
  /** The positive errno, 0 where no call failed. */
  errno: number;
  /** Name of the errno ("ECONNREFUSED"), "PEER_CLOSED" or "TIMEOUT". */
  code: string;
  /** Peer "address:port" where there is one. */
  address: string;
  message: string;
}

/** Delivered on the JS thread. `ready`: every flow is up (CRR: the listener is open). `ended`: all threads are joined; delivered once, always last. */
export type NativeEvent = { type: "ready" } | { type: "ended"; fault: NativeFault | null };

/**
 * One latency histogram, in the index layout of HdrHistogram(lowest 1 ns, 3 significant digits): `counts[i]` belongs to index `first + i`
 * (sub-bucket count 2048). Values above the maximum (2^42 ns, 73 minutes) are recorded as the maximum.
 */
export interface NativeHistogram {
  first: number;
  counts: Float64Array;
  /** Exact sum, minimum and maximum of the recorded values, in ns. min and max are 0 when nothing was recorded. */
  sumNs: number;
  minNs: number;
  maxNs: number;
}

/** Counters that only grow. For CRR a connection is counted when it has been established (client) or accepted (server). */
export interface NativeCounters {
  bytesSent: number;
  bytesReceived: number;
  transactions: number;
  connections: number;
  connectErrors: NativeConnectErrors;
  /** UDP only, and in results only. */
  datagrams?: NativeDatagrams & {
    /** Packets that this end's kernel dropped on their way into the flows' sockets; with `gro` each may be a whole train. */
    dropped: number;
  };
}

export interface NativeDatagrams {
  /** Handed to the kernel. */
  sent: number;
  received: number;
  /** STREAM receivers: those of the datagrams sent within the sender's window that have come, whenever they did. */
  marked: number;
  /** RR clients: requests without an answer in time, and answers that came after that or twice. */
  lost: number;
  late: number;
  /** Sends that the kernel had no memory for. */
  refused: number;
}

/** Failed connection attempts of CRR by errno; the run goes on after them. */
export interface NativeConnectErrors {
  /** EADDRNOTAVAIL or EADDRINUSE: no source port was free. */
  portsExhausted: number;
  refused: number;
  timedOut: number;
  reset: number;
  other: number;
}

/** Live figures of the window (zero before it opens), read while workers run: each is exact for its own instant. */
export interface NativeSnapshot {
  /** When the snapshot was taken. */
  atNs: number;
  /** Time since the window opened, until now or until it closed; 0 before. */
  windowNs: number;
  /** True once every flow is up. */
  ready: boolean;
  counters: NativeCounters;
  /** With `histograms` asked for: RR has `latency`; CRR has all three, CC all but `requestLatency`. */
  latency?: NativeHistogram;
  /** With `tcp` asked for: long-lived flows, between the window's opening and its close. */
  tcp?: NativeTcpSummary;
}

export interface NativeTcpInfo {
  rttNs: number;
  rttvarNs: number;
  minRttNs: number;
  /** Segments retransmitted within the window. */
  retransmits: number;
  cwndPackets: number;
  mssBytes: number;
  deliveryRateBitsPerSecond: number;
  /** Time within the window with data to send, and the parts of it held back by the receiver's window and by the send buffer. */
  busyNs: number;
  rwndLimitedNs: number;
  sndbufLimitedNs: number;
}

/** Several connections as one: sums of retransmits, times and delivery rates, means of the rest, the least `minRttNs`. */
export interface NativeTcpSummary extends NativeTcpInfo {
  flows: number;
}

export interface NativeFlow {
  bytesSent: number;
  bytesReceived: number;
  transactions: number;
  /** CPU its worker is pinned to, -1 when unpinned. */
  cpu: number;
  /** Long-lived flows only: the CPU that received its last packet of the window (SO_INCOMING_CPU), -1 where the kernel does not tell. */
  incomingCpu?: number;
  /** UDP only. */
  datagrams?: NativeDatagrams;
  /** CRR clients only. */
  connectErrors?: NativeConnectErrors;
  /** Long-lived flows only (not CRR), read when the window closed. */
  tcpInfo?: NativeTcpInfo;
}

/** TCP_INFO under the kernel's names and in its units: times in us, windows in segments (include/uapi/linux/tcp.h). */
export type NativeTcpState = Record<
  "rto" | "ato" | "pmtu" | "rcvSsthresh" | "rtt" | "rttvar" | "sndSsthresh" | "sndCwnd" | "reordering" | "totalRetrans",
  number
>;

/** Everything measured, exact: taken after every worker was joined. Covers the window, except `total`. */
export interface NativeResult {
  windowNs: number;
  counters: NativeCounters;
  /** From start to end of the session, warm-up and wind-down included. */
  total: NativeCounters;
  /** Server CRR: one entry per worker, since connections belong to nobody. */
  flows: NativeFlow[];
  /** Of the flows' `tcpInfo`. */
  tcp?: NativeTcpSummary;
  /** RR client: round trip. CRR client: the whole transaction. */
  latency?: NativeHistogram;
  /** CRR client only; CC has no requests. */
  connectLatency?: NativeHistogram;
  requestLatency?: NativeHistogram;
  /** Senders with zerocopy `msg` only. `requested` = `zeroCopied` + `copied` + what never completed. */
  zerocopy?: { requestedBytes: number; zeroCopiedBytes: number; copiedBytes: number };
  /** Receivers with rx `zerocopy` only; the two are all that came. */
  rxZerocopy?: { mappedBytes: number; copiedBytes: number };
  /** Clients with a rate: requests that were due before the window closed and not sent by then. */
  backlog?: number;
  /** Kind of memory behind the send buffer: "huge" or "page". */
  buffers: "huge" | "page";
  /** The NUMA node that each worker takes its memory from while there is some; -1 without pinning, or where the kernel refused. */
  memoryNodes: number[];
  /** CPU time of the workers over the window, in ns. */
  workerCpuNs: number;
  /**
   * SO_SNDBUF, SO_RCVBUF, TCP_CONGESTION, TCP_MAXSEG and TCP_NOTSENT_LOWAT as the kernel reports them on the first flow (or listener). `mssBytes`
   * of CRR is that of a connection tried before the test, 0 where there was none (server, foreign peer). UDP has neither congestion control nor
   * TCP_NOTSENT_LOWAT; its `mssBytes` is the largest datagram that goes to the peer in one packet.
   */
  socket: {
    sndbufBytes: number;
    rcvbufBytes: number;
    congestion: string;
    mssBytes: number;
    notsentLowatBytes?: number;
  };
  /** Of the first flow to a foreign peer, when the window closed. */
  tcpState?: NativeTcpState;
  fault: NativeFault | null;
}

/** One host's half of one test. Construction validates the plan and starts set-up in native threads; it never blocks. */
export interface NativeSession {
  /** Server: the bound data port. Client: the port it connects to. */
  readonly port: number;
  /** Lets traffic flow. Before `ready` it takes effect on becoming ready. */
  go(): void;
  /** From here on everything counts. May come before `go()` (no warm-up). */
  openWindow(): void;
  /** From here on nothing counts. Also reads TCP_INFO of the flows, in a native thread. */
  closeWindow(): void;
  /**
   * Ends the session from any state; `ended` follows promptly. Idempotent. A receiver whose window was closed reads on to the end of its flows,
   * for up to a second while something comes.
   */
  stop(): void;
  snapshot(histograms: boolean, tcp?: boolean): NativeSnapshot;
  /** Payload of the whole session until now, whether it counts or not. */
  moved(): { bytesSent: number; bytesReceived: number };
  /** After `ended`; throws before. */
  result(): NativeResult;
}

/** Each is absent where the kernel or the driver does not tell. */
export interface NativeLinkFacts {
  tso?: boolean;
  gso?: boolean;
  gro?: boolean;
  lro?: boolean;
  rxChecksum?: boolean;
  txChecksum?: boolean;
  /** Kind of the root queueing discipline. */
  qdisc?: string;
}

export interface NativeAddon {
  /** Throws TypeError or RangeError for a bad plan and an Error with `code`, `syscall`, `errno`, `address` where the listener cannot be opened. */
  Session: new (plan: NativePlan, onEvent: (event: NativeEvent) => void) => NativeSession;
  /** CPUs that this process may run on (sched_getaffinity of the process' main thread), ascending. */
  allowedCpus(): number[];
  /** The CPU that the calling thread runs on at this moment. */
  currentCpu(): number;
  /** CLOCK_MONOTONIC, ns. */
  nowNs(): number;
  /** What ioctl(2) and rtnetlink(7) tell of an interface of the calling thread's network namespace; nothing of one that is not there. */
  linkFacts(name: string): NativeLinkFacts;
  /** Why engine `uring` cannot run in this process, for people to read; null where it can. `zerocopySends`: with those. Costs a tenth of a millisecond. */
  uringUnavailableReason(zerocopySends?: boolean): string | null;
}
