import { Type } from "typebox";
import { count, figure, list, text } from "./fields.js";
import { CpuUsageSchema, HostContextSchema, NetworkUseSchema } from "./host.js";

const { Optional } = Type;

/** Failed connection attempts by cause. */
export const ConnectErrorsSchema = Type.Object(
  {
    portsExhausted: count("No source port was free (EADDRNOTAVAIL, EADDRINUSE)"),
    refused: count("ECONNREFUSED"),
    timedOut: count("ETIMEDOUT"),
    reset: count("ECONNRESET while connecting or during the transaction"),
    other: count("Any other errno"),
  },
  { description: "Failed connection attempts by cause; the run goes on after them" },
);

const datagrams = {
  sent: count("Handed to the kernel"),
  received: count("Taken from the kernel"),
  marked: count(
    "UDP_STREAM's receiver: those of the datagrams sent within the sender's window that have come, whenever they did",
  ),
  lost: count("UDP_RR's client: requests without an answer in time"),
  late: count("UDP_RR's client: answers that came after that, or twice"),
  refused: count("Sends that the kernel had no memory for"),
};

/** Datagrams of one flow, as one end saw them. */
export const FlowDatagramsSchema = Type.Object(datagrams, { description: "Datagrams of one flow" });

/** Datagrams of one end. */
export const DatagramCountersSchema = Type.Object(
  {
    ...datagrams,
    dropped: count(
      "Packets that the kernel dropped on their way into the flows' sockets, for want of room above all; with UDP_GRO a packet may be a whole train",
    ),
  },
  { description: "Datagrams of one end (UDP)" },
);

/** Counters of one end. */
export const CountersSchema = Type.Object(
  {
    bytesSent: count("Payload bytes handed to the kernel"),
    bytesReceived: count("Payload bytes taken from the kernel"),
    transactions: count("Transactions completed (RR, CRR, CC, UDP_RR)"),
    connections: count("Connections established (client) or accepted (server)"),
    connectErrors: ConnectErrorsSchema,
    datagrams: Optional(DatagramCountersSchema),
  },
  { description: "Counters of one end" },
);

const tcpInfo = {
  rttNs: count("Smoothed round trip time, ns"),
  rttvarNs: count("Its mean deviation, ns"),
  minRttNs: count("Smallest round trip time seen by the kernel, ns"),
  retransmits: count("Segments retransmitted"),
  cwndPackets: count("Congestion window, packets"),
  mssBytes: count("Maximum segment size, bytes"),
  deliveryRateBitsPerSecond: figure("Delivery rate as the kernel estimates it, bits per second"),
  busyNs: count("Time with data to send or unacknowledged (tcpi_busy_time), ns"),
  rwndLimitedNs: count("Part of it held back by the receiver's window (tcpi_rwnd_limited), ns"),
  sndbufLimitedNs: count("Part of it held back by the send buffer (tcpi_sndbuf_limited), ns"),
};

/** TCP_INFO of one connection when the window closed. */
export const TcpInfoSchema = Type.Object(tcpInfo, {
  description: "TCP_INFO when the window closed; retransmits and times are those of the window",
});

/** TCP_INFO of several connections as one. */
export const TcpSummarySchema = Type.Object(
  { flows: count("Connections that told"), ...tcpInfo },
  {
    description:
      "TCP_INFO over all flows of the sending host (the client's, but for MAERTS): sums of retransmits, times and delivery rates, means of the rest, the least minRttNs",
  },
);

/** Payload bytes of zero-copy sends (`--zerocopy msg`). */
export const ZerocopySchema = Type.Object(
  {
    requestedBytes: count("Bytes sent with MSG_ZEROCOPY, with engine uring by SEND_ZC"),
    zeroCopiedBytes: count("Bytes that the kernel did send without a copy"),
    copiedBytes: count("Bytes that the kernel copied after all (SO_EE_CODE_ZEROCOPY_COPIED)"),
  },
  {
    description:
      "Completions of zero-copy sends within the window; what had not completed at its end is in neither of the two",
  },
);

/** Payload bytes of receives with TCP_ZEROCOPY_RECEIVE. */
export const RxZerocopySchema = Type.Object(
  {
    mappedBytes: count("Bytes whose pages the kernel mapped"),
    copiedBytes: count("Bytes that had to be copied, for they did not fill pages of their own"),
  },
  { description: "What came of TCP_ZEROCOPY_RECEIVE within the window: the two are all that was received" },
);

/** Socket settings in force. */
export const SocketSchema = Type.Object(
  {
    sndbufBytes: count("SO_SNDBUF, bytes; the kernel doubles what was asked for"),
    rcvbufBytes: count("SO_RCVBUF, bytes; the kernel doubles what was asked for"),
    congestion: text("TCP_CONGESTION; empty for UDP"),
    mssBytes: count(
      "TCP_MAXSEG, bytes, 0 where no connection stood to tell (the server's of CRR and CC); UDP: the largest datagram that goes to the peer in one packet",
    ),
    notsentLowatBytes: Optional(
      count("TCP_NOTSENT_LOWAT, bytes; 0 = the host's own setting (net.ipv4.tcp_notsent_lowat) holds; absent for UDP"),
    ),
  },
  { description: "Socket settings as the kernel reports them on the first flow or the listener" },
);

export const EngineSchema = Type.Enum(["block", "epoll", "spin", "uring"], {
  description:
    "block: one flow per worker, blocking calls; epoll: many flows per worker; spin: many, and the worker never sleeps; uring: many, over io_uring",
});

export const BuffersSchema = Type.Enum(["huge", "page"], {
  description: "Memory behind the send buffer: huge pages or ordinary ones",
});

/**
 * One host's end of a run. The server sends its own to the client as JSON. Flows are column-wise, entry i of every column being flow i,
 * so that 10,000 of them stay small.
 */
export const EndReportSchema = Type.Object({
  engine: EngineSchema,
  engineRefusal: Optional(text("Why the engine asked for could not run on this host, and another one did")),
  workers: count("Workers"),
  cpus: list(Type.Integer({ minimum: -1 }), "CPU of each worker, -1 = unpinned"),
  memoryNodes: Optional(
    list(Type.Integer({ minimum: -1 }), "NUMA node of each worker's memory, -1 = none in particular"),
  ),
  windowNs: count("Length of this end's window by its own clock, ns; 0 when it never opened"),
  counters: CountersSchema,
  total: CountersSchema,
  flows: Type.Object({
    bytesSent: list(count("Bytes"), "Payload bytes sent"),
    bytesReceived: list(count("Bytes"), "Payload bytes received"),
    transactions: list(count("Transactions"), "Transactions completed"),
    cpu: list(Type.Integer({ minimum: -1 }), "CPU of the flow's worker, -1 = unpinned"),
    incomingCpu: Optional(
      list(Type.Integer({ minimum: -1 }), "Long-lived flows only: the CPU that received its packets, -1 = unknown"),
    ),
    connectErrors: Optional(list(ConnectErrorsSchema, "CRR and CC clients only")),
    datagrams: Optional(list(FlowDatagramsSchema, "UDP only")),
    tcpInfo: Optional(list(TcpInfoSchema, "Long-lived flows of TCP only")),
  }),
  cpu: Optional(CpuUsageSchema),
  network: Optional(NetworkUseSchema),
  host: HostContextSchema,
  workerCpuNs: count("CPU time of the workers over the window, ns"),
  tcp: Optional(TcpSummarySchema),
  zerocopy: Optional(ZerocopySchema),
  rxZerocopy: Optional(RxZerocopySchema),
  backlog: Optional(count("Clients with a rate only: requests due before the window closed and not sent by then")),
  socket: SocketSchema,
  buffers: BuffersSchema,
});
