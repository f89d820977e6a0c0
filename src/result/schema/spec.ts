import { Type } from "typebox";
import type { CpuGroup } from "../../options/spec.js";
import { count, figure, list, text } from "./fields.js";

const cpuList = (description: string) =>
  Type.Union(
    [
      list(count("CPU number"), "CPU numbers"),
      Type.Unsafe<CpuGroup>(Type.String({ pattern: "^(numa|nic):" })),
      Type.Null(),
    ],
    { description },
  );

export const TestNameSchema = Type.Enum(
  ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr", "tcp_cc", "udp_stream", "udp_rr"],
  {
    description:
      "tcp_stream: client sends; tcp_maerts: server sends; tcp_rr: request and response on standing connections; tcp_crr: a connection per transaction; tcp_cc: the same without request and response; udp_stream: client sends datagrams; udp_rr: request and response of a datagram each",
  },
);

/** `ResolvedSpec` of `src/options` as a schema; a compile-time check in `model.ts` keeps the two the same. */
export const SpecSchema = Type.Object(
  {
    test: TestNameSchema,
    host: text("The server as it was named: a host name or an address"),
    port: count("The server's control port"),
    family: Type.Enum(["any", "ipv4", "ipv6"], { description: "Address family asked for" }),
    durationNs: count("Length of the window asked for, ns"),
    warmupNs: count("Traffic before the window, ns"),
    intervalNs: count("Length of the intervals reported, ns; 0 = none"),
    cpuAtPerSecond: count("Rate that normalised CPU is stated at, in the test's own unit; 0 = the test's usual one"),
    runs: Type.Union([count("Runs of which the result is made; with untilCiPct at most so many"), Type.Null()], {
      description: "null = one, with untilCiPct up to 30",
    }),
    untilCiPct: figure(
      "Repeat until the confidence interval of the mean reaches this far to each side, percent of the mean; 0 = not asked for",
    ),
    flows: count("TCP connections alive at a time"),
    threads: Type.Union([count("Workers on the client"), Type.Null()], {
      description: "Workers on the client; null = chosen automatically",
    }),
    cpus: cpuList("CPUs of the client's workers; numa:N or nic:INTERFACE = some of those; null = chosen automatically"),
    serverCpus: cpuList("CPUs of the server's workers; null = chosen automatically"),
    engine: Type.Enum(["auto", "block", "epoll", "spin", "uring"], {
      description: "Engine asked for; `engine` of the result says which one ran",
    }),
    best: Type.Boolean({ description: "Probes chose what was not given; `best` of the result says what" }),
    requestBytes: count("Size of a request, bytes (RR, CRR, UDP_RR)"),
    responseBytes: count("Size of a response, bytes (RR, CRR, UDP_RR)"),
    burst: count("Further requests in flight per flow beside the first (RR, UDP_RR)"),
    coalesce: Type.Boolean({ description: "Messages of a flow that are due together go out in one send (RR)" }),
    ratePerSecond: count("Transactions begun per second, of all flows together (RR, CRR, CC, UDP_RR); 0 = closed loop"),
    spacing: Type.Enum(["poisson", "constant"], { description: "How the transactions of ratePerSecond are spaced" }),
    close: Type.Enum(["server", "client", "reset"], {
      description: "Which side closes first (CRR, CC); reset = the client closes with RST",
    }),
    fastOpen: Type.Boolean({
      description: "TCP Fast Open: the request travels with the SYN where both kernels allow it (CRR)",
    }),
    deferAccept: Type.Boolean({
      description: "TCP_DEFER_ACCEPT: the server accepts a connection when its request is there (CRR)",
    }),
    sendSizeBytes: count("Bytes per send call (STREAM, MAERTS), or of a datagram, 0 = what fits the path (UDP_STREAM)"),
    recvSizeBytes: count("Bytes per receive call (STREAM)"),
    rxLowatBytes: Type.Union([count("SO_RCVLOWAT of the receiver, bytes"), Type.Null()], {
      description:
        "SO_RCVLOWAT of the receiver, bytes; 0 = not set, null = follows the rate of each flow (STREAM, MAERTS)",
    }),
    notsentLowatBytes: count("TCP_NOTSENT_LOWAT of the sender, bytes; 0 = not set (STREAM, MAERTS)"),
    bandwidthBitsPerSecond: count(
      "Payload that the sender is paced to, bits per second of all flows together (STREAM, MAERTS, UDP_STREAM); 0 = not paced",
    ),
    batch: count("Datagrams, or trains of them, per system call (UDP_STREAM)"),
    gso: Type.Boolean({ description: "The sender's kernel cuts trains of datagrams: UDP_SEGMENT (UDP_STREAM)" }),
    gro: Type.Boolean({ description: "The receiver's kernel hands over trains of datagrams: UDP_GRO (UDP_STREAM)" }),
    retryAfterNs: count("A request without an answer by then is lost, ns (UDP_RR)"),
    zerocopy: Type.Enum(["off", "msg", "sendfile"], {
      description: "msg = MSG_ZEROCOPY (engine uring: SEND_ZC), sendfile = sendfile(2) (STREAM)",
    }),
    rx: Type.Enum(["copy", "trunc", "zerocopy"], {
      description:
        "trunc = the receiver lets the kernel discard the data with MSG_TRUNC, zerocopy = it has the kernel map its pages with TCP_ZEROCOPY_RECEIVE (STREAM)",
    }),
    sndbufBytes: count("SO_SNDBUF asked for, bytes; 0 = kernel autotuning"),
    rcvbufBytes: count("SO_RCVBUF asked for, bytes; 0 = kernel autotuning"),
    noDelay: Type.Boolean({ description: "TCP_NODELAY" }),
    congestion: text("TCP_CONGESTION asked for; empty = the system's default"),
    mssBytes: count("TCP_MAXSEG asked for, bytes; 0 = the kernel's choice"),
    bind: list(text("Numeric address"), "Local addresses of the client, used in turn; empty = the kernel chooses"),
    localPorts: Type.Union(
      [Type.Unsafe<[number, number]>(Type.Array(count("Port"), { minItems: 2, maxItems: 2 })), Type.Null()],
      { description: "Source ports of the client, first and last inclusive (CRR, CC); null = the kernel chooses" },
    ),
    dataPort: count("The server's data port asked for; 0 = ephemeral"),
  },
  { description: "Every option as resolved" },
);
