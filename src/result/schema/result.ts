import { Type } from "typebox";
import { bothEnds, count, figure, list, text } from "./fields.js";
import { CpuUsageSchema, HostContextSchema, NetworkUseSchema } from "./host.js";
import { SpecSchema, TestNameSchema } from "./spec.js";
import {
  BuffersSchema,
  ConnectErrorsSchema,
  CountersSchema,
  EngineSchema,
  SocketSchema,
  TcpInfoSchema,
  TcpSummarySchema,
  RxZerocopySchema,
  ZerocopySchema,
} from "./wire.js";

const { Optional } = Type;

export const WarningSchema = Type.Object(
  {
    code: text('Stable name in capitals, e.g. "SAME_HOST"'),
    message: text("What was seen, with its figures"),
    advice: text("What to do about it, naming the options"),
  },
  { description: "A reason why a figure may not mean what it seems to" },
);

const latencyFigures = {
  kind: Type.Enum(["rtt", "transaction", "connect", "request"], {
    description:
      "rtt: from before the send to after the last byte of the response; transaction: from before connect to after close; connect: connect alone; request: the round trip on the fresh connection",
  }),
  count: count("Values recorded: every one, none sampled"),
  minNs: figure("Smallest value, ns"),
  meanNs: figure("Mean, ns"),
  stddevNs: figure("Standard deviation, from the histogram's buckets, ns"),
  p50Ns: figure("Median, ns; percentiles are the upper end of their histogram bucket, at most 0.1 % wide"),
  p90Ns: figure("90th percentile, ns"),
  p95Ns: figure("95th percentile, ns"),
  p99Ns: figure("99th percentile, ns"),
  p99_9Ns: figure("99.9th percentile, ns"),
  p99_99Ns: figure("99.99th percentile, ns"),
  maxNs: figure("Largest value, ns"),
};

export const LatencySummarySchema = Type.Object(
  {
    ...latencyFigures,
    hdr: Type.String({ description: "The whole histogram: HdrHistogram V2 compressed, base64, values in ns" }),
  },
  { description: "Latency of every transaction of the window, measured by the client" },
);

export const IntervalLatencySchema = Type.Object(latencyFigures, {
  description: "Latency of every transaction of the interval; minimum and maximum to the histogram's resolution",
});

const volume = {
  bitsPerSecond: figure("Payload bits per second"),
  bytes: count("Payload bytes"),
};

const ThroughputSchema = Type.Object(
  {
    bitsPerSecond: Optional(
      figure("Goodput: payload bits per second that arrived at the receiver, over the receiver's window"),
    ),
    bytes: Optional(count("Payload bytes that arrived at the receiver within its window")),
    sender: Optional(Type.Object(volume, { description: "The sender's own figure over the sender's window" })),
  },
  {
    description:
      "Payload throughput (STREAM, MAERTS, UDP_STREAM). Goodput is absent when the receiver's report never came",
  },
);

const TransactionsSchema = Type.Object(
  {
    count: count("Transactions completed within the window"),
    perSecond: figure("Transactions per second"),
  },
  { description: "Transactions as the client counted them (RR, CRR, CC, UDP_RR)" },
);

const OpenLoopSchema = Type.Object(
  {
    backlog: count("Requests that were due before the window closed and had not been sent by then"),
  },
  {
    description:
      "Only with a rate (spec.ratePerSecond): how well it was kept. Latency counts from when each request was due",
  },
);

const ConnectionsSchema = Type.Object(
  {
    count: count("Connections established within the window"),
    perSecond: figure("Connections per second"),
    errors: ConnectErrorsSchema,
  },
  { description: "Connections as the client counted them (CRR, CC)" },
);

const DatagramsSchema = Type.Object(
  {
    sizeBytes: Optional(count("Payload of each, bytes (UDP_STREAM)")),
    sent: count("Datagrams (UDP_RR: requests) that the client sent within its window"),
    sentPerSecond: Optional(figure("The same per second")),
    received: Optional(count("Datagrams that arrived within the server's window (UDP_STREAM)")),
    receivedPerSecond: Optional(figure("The same per second")),
    lost: Optional(
      count(
        "Of sent, those that never arrived, not even after the window (UDP_STREAM); requests given up within the window, which are in no latency (UDP_RR)",
      ),
    ),
    lostPct: Optional(figure("lost of sent, percent")),
    late: Optional(count("Answers to requests that had been given up, and second answers (UDP_RR)")),
    refused: count("Sends that the client's kernel had no memory for; not in sent"),
    receiverDrops: Optional(
      count(
        "Packets that the server's kernel dropped within its window on their way into the flows' sockets, for want of room above all; with gro each may be a whole train",
      ),
    ),
  },
  { description: "What became of the datagrams (UDP)" },
);

export const IntervalSchema = Type.Object(
  {
    run: Optional(count("Number of the run, from 1; only where there are several")),
    startNs: count("Start of the interval, ns since the window opened"),
    durationNs: count("Length, ns"),
    throughput: Optional(ThroughputSchema),
    transactions: Optional(TransactionsSchema),
    latency: Optional(IntervalLatencySchema),
    tcpInfo: Optional(TcpSummarySchema),
  },
  { description: "A part of the window" },
);

export const FlowResultSchema = Type.Object(
  {
    bytes: Optional(count("Payload bytes that arrived at the receiver (STREAM, MAERTS, UDP_STREAM)")),
    sentBytes: Optional(count("Payload bytes that the sender sent (STREAM, MAERTS, UDP_STREAM)")),
    transactions: Optional(count("Transactions (RR, CRR, CC)")),
    connectErrors: Optional(ConnectErrorsSchema),
    datagrams: Optional(
      Type.Object(
        { sent: count("As in the result's datagrams"), lost: Optional(count("As in the result's datagrams")) },
        { description: "UDP only" },
      ),
    ),
    cpu: Optional(count("CPU of its worker on the client; absent when unpinned")),
    remoteCpu: Optional(count("CPU of its worker on the server; absent when unpinned")),
    incomingCpu: Optional(
      count(
        "CPU on which the client's kernel received its last packet of the window (SO_INCOMING_CPU); not of CRR and CC",
      ),
    ),
    remoteIncomingCpu: Optional(count("The same of the server's kernel")),
    tcpInfo: Optional(TcpInfoSchema),
  },
  { description: "One flow over the window; tcpInfo is the sending host's (the client's, but for MAERTS)" },
);

const WorkersSchema = Type.Object(
  {
    count: count("Workers: threads that carry traffic"),
    cpus: list(count("CPU number"), "The CPU that each worker is pinned to; empty when they are not pinned"),
    memoryNodes: Optional(
      list(
        count("NUMA node"),
        "The NUMA node that each worker's memory comes from while it has some (MPOL_PREFERRED); absent where a worker is not pinned, the kernel refuses, or the process was started with a policy of its own",
      ),
    ),
    busyCores: Optional(figure("CPU time of the workers over the window; cores")),
    incoming: Optional(
      list(
        Type.Object(
          { cpu: count("CPU number"), flows: count("Flows whose last packet of the window was received there") },
          { description: "One CPU" },
        ),
        "CPUs on which this host's kernel received the flows' packets (SO_INCOMING_CPU), ascending; absent for CRR and CC, whose connections do not stand",
      ),
    ),
  },
  { description: "Workers of one host" },
);

const ServiceDemandSchema = Type.Object(
  {
    nsPerTransaction: Optional(figure("CPU time per transaction, ns (RR, CRR, CC)")),
    nsPerKiB: Optional(figure("CPU time per 1024 bytes of goodput, ns (STREAM, MAERTS)")),
  },
  { description: "CPU time of the whole host per unit of work" },
);

const NormalizedCpuSchema = Type.Object(
  {
    target: figure("The rate that the figures are scaled to"),
    unit: Type.Enum(["bitsPerSecond", "transactionsPerSecond", "connectionsPerSecond"], {
      description: "Unit of target",
    }),
    method: Type.Literal("linear-extrapolation", {
      description: "Busy cores x target / measured rate: no measurement",
    }),
    localCores: Optional(figure("Cores that the client would need at the target")),
    remoteCores: Optional(figure("Cores that the server would need at the target")),
  },
  { description: "CPU use scaled linearly to a stated rate" },
);

const CpuSchema = Type.Object(
  {
    local: Optional(CpuUsageSchema),
    remote: Optional(CpuUsageSchema),
    serviceDemand: Optional(
      Type.Object(
        { local: Optional(ServiceDemandSchema), remote: Optional(ServiceDemandSchema) },
        { description: "CPU time per unit of work; netperf's us/Tr and us/KB times 1000" },
      ),
    ),
    normalized: Optional(NormalizedCpuSchema),
  },
  { description: "CPU of both hosts; local is the client's, remote the server's" },
);

const foundOptions = (description: string) =>
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.Number())]), {
    description,
  });

export const ProbeSchema = Type.Object(
  {
    options: foundOptions("The options tried, by their names in code"),
    bitsPerSecond: Optional(figure("Goodput, bits per second (STREAM, MAERTS)")),
    perSecond: Optional(figure("Transactions per second (RR, CRR, CC)")),
    error: Optional(text("Why it gave no figure")),
  },
  { description: "A short run before the one that counts" },
);

export const BestSchema = Type.Object(
  {
    chosen: foundOptions(
      "The options that the probes chose, by their names in code; empty where the given ones were best",
    ),
    probes: list(ProbeSchema, "All probes in order"),
  },
  { description: "Only with best or a send size of auto: what was found out before the run" },
);

export const ProfileSchema = Type.Object(
  {
    samples: count("Stacks recorded, those of idle CPUs left out"),
    samplesPerSecond: count("Of each CPU"),
    svg: text("File of the flame graph"),
    folded: text("File of the folded stacks: a line per stack with its count"),
    speedscope: text("File for https://www.speedscope.app"),
  },
  {
    description:
      "Only where a profile was asked for: what perf saw of the client's host within the window (of the first run of several)",
  },
);

const RepeatSchema = Type.Object(
  {
    runs: count("Runs completed"),
    meanPerSecond: Optional(figure("Mean of the runs' transactions per second")),
    meanBitsPerSecond: Optional(figure("Mean of the runs' goodput, bits per second")),
    confidence: figure("Confidence level, 0 to 1"),
    halfWidthPct: Optional(
      figure(
        "Half width of the mean's confidence interval (Student's t over the runs), percent of the mean; absent for a single run",
      ),
    ),
  },
  { description: "Only where the test was repeated: how well the mean of the runs is known" },
);

const runCpu = (host: string) =>
  Optional(
    Type.Object(
      {
        busyCores: figure("Busy cores of the whole host"),
        nsPerTransaction: Optional(figure("CPU time per transaction, ns (RR, CRR, CC)")),
        nsPerKiB: Optional(figure("CPU time per 1024 bytes of goodput, ns (STREAM, MAERTS)")),
      },
      { description: `CPU of the ${host}` },
    ),
  );

const RunSummarySchema = Type.Object(
  {
    startedAt: Type.String({ format: "date-time", description: "When the run began" }),
    durationNs: count("The client's window, ns"),
    perSecond: Optional(figure("Transactions per second (RR, CRR, CC)")),
    bitsPerSecond: Optional(figure("Goodput, bits per second (STREAM, MAERTS)")),
    latency: Optional(
      Type.Object(
        {
          p50Ns: latencyFigures.p50Ns,
          p90Ns: latencyFigures.p90Ns,
          p99Ns: latencyFigures.p99Ns,
          p99_9Ns: latencyFigures.p99_9Ns,
        },
        { description: "Latency of the run's transactions (RR, CRR, CC)" },
      ),
    ),
    cpu: Type.Object({ local: runCpu("client"), remote: runCpu("server") }, { description: "CPU of both hosts" }),
  },
  { description: "One run of several" },
);

/** The result of one run or of several, schema `cnb-load/result/1`. Readers ignore properties that they do not know. */
export const ResultSchema = Type.Object(
  {
    schema: Type.Literal("cnb-load/result/1", { description: "Name and version of this schema" }),
    state: Type.Enum(["completed", "aborted", "failed"], {
      description: "aborted and failed results carry what was measured until then",
    }),
    test: TestNameSchema,
    spec: SpecSchema,
    startedAt: Type.String({
      format: "date-time",
      description: "When the run began, ISO 8601 in UTC by the client's clock",
    }),
    error: Optional(
      Type.Object(
        {
          code: text('Stable code, e.g. "ERR_PEER_LOST"'),
          message: text("One line that names what was wrong"),
        },
        { description: "Why the run failed; only when state is failed" },
      ),
    ),
    window: Type.Object(
      {
        durationNs: count("The client's window by its own clock, ns; 0 when it never opened"),
        remoteDurationNs: Optional(count("The server's window by its own clock, ns")),
      },
      { description: "The time that counts: every flow up and warmed, none stopped yet" },
    ),
    engine: bothEnds(EngineSchema, "Engine that ran"),
    workers: bothEnds(WorkersSchema, "Workers"),
    throughput: Optional(ThroughputSchema),
    transactions: Optional(TransactionsSchema),
    openLoop: Optional(OpenLoopSchema),
    connections: Optional(ConnectionsSchema),
    datagrams: Optional(DatagramsSchema),
    latency: Optional(LatencySummarySchema),
    connectLatency: Optional(LatencySummarySchema),
    requestLatency: Optional(LatencySummarySchema),
    cpu: CpuSchema,
    tcpInfo: Optional(TcpSummarySchema),
    network: Optional(
      Type.Object(
        { local: Optional(NetworkUseSchema), remote: Optional(NetworkUseSchema) },
        { description: "Counters of both hosts' network stacks; local is the client's, remote the server's" },
      ),
    ),
    flows: list(FlowResultSchema, "One entry per flow"),
    zerocopy: Optional(ZerocopySchema),
    rxZerocopy: Optional(RxZerocopySchema),
    socket: bothEnds(SocketSchema, "Socket settings in force"),
    buffers: bothEnds(BuffersSchema, "Send buffers"),
    totals: bothEnds(
      CountersSchema,
      "Counters from start to end of the session, warm-up and wind-down included: comparable with the kernel's own",
    ),
    intervals: list(IntervalSchema, "Parts of the window in order; empty unless intervals were asked for"),
    warnings: list(WarningSchema, "Reasons why a figure may not mean what it seems to"),
    host: bothEnds(HostContextSchema, "Both hosts"),
    best: Optional(BestSchema),
    profile: Optional(ProfileSchema),
    repeat: Optional(RepeatSchema),
    runs: Optional(
      list(
        RunSummarySchema,
        "Each completed run; with them, rates and CPU above are means, counts and histograms sums, and window is the sum of the windows",
      ),
    ),
  },
  {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "cnb-load result",
    description:
      "Result of one run of cnb-load, or of several made into one. Units are in the names: ns, bytes, bits per second, CPU cores. A metric that does not apply is absent.",
  },
);
