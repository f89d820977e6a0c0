/** The table of what is compared, and with whom. */
import { SOCKPERF_MESSAGE_BYTES } from "./contenders/sockperf.js";
import type { Own, Pinning, Row, Where, Workload } from "./model.js";

const KIB = 1024;
const MANY = 32;
/** netperf's own size of a send on Linux: its default SO_SNDBUF. */
const NETPERF_SEND_BYTES = 16 * KIB;
const OUR_SEND_BYTES = 128 * KIB;
/** A datagram that fits a packet of Ethernet, IPv4. */
const ETHERNET_BYTES = 1472;

type Place = `${Where} ${Pinning}`;

interface Family {
  id: string;
  title: string;
  workload: Partial<Workload> & Pick<Workload, "test">;
  own?: Own;
  ours?: readonly string[];
  peers: readonly string[];
  places: readonly Place[];
  /** Those of the places that `--quick` has. */
  quick?: readonly Place[];
}

/** As netserver, iperf3 and neper receive. */
const PLAIN_RECEIVES = ["--recv-size", "128K", "--rx-lowat", "0"] as const;
const ONE_WORKER = ["--engine", "epoll", "--threads", "1"] as const;

const HALVES = [
  ["cnb-netperf", "our client and netperf's, both on netperf's server"],
  ["cnb-netserver", "our server and netperf's, both under netperf's client"],
] as const;
const HALF_TESTS = ["rr", "crr", "stream"] as const;

/** Ends that take the place of netperf's. */
const REPLACED_HALVES: readonly Family[] = HALVES.flatMap(([own, what]) =>
  HALF_TESTS.map((test) => ({
    id: `${own}-${test}`,
    title: `${test.toUpperCase()}, 1 flow: ${what}`,
    workload: { test },
    own,
    peers: ["netperf"],
    places: ["loopback same", "loopback apart"],
    quick: ["loopback same"],
  })),
);

const FAMILIES: readonly Family[] = [
  {
    id: "rr-1",
    title: "RR, 1 flow, engine block",
    workload: { test: "rr" },
    ours: ["--engine", "block"],
    peers: ["netperf", "neper", "qperf"],
    places: ["loopback same", "loopback apart", "loopback free", "veth same", "veth apart"],
    quick: ["loopback same", "loopback apart", "veth apart"],
  },
  {
    id: "rr-1-spin",
    title: "RR, 1 flow, engine spin on both ends",
    workload: { test: "rr" },
    ours: ["--engine", "spin"],
    peers: ["netperf", "neper"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: `rr-1-${SOCKPERF_MESSAGE_BYTES}b`,
    title: `RR, 1 flow of ${SOCKPERF_MESSAGE_BYTES} B, engine block`,
    workload: { test: "rr", messageBytes: SOCKPERF_MESSAGE_BYTES },
    ours: ["--engine", "block"],
    peers: ["sockperf"],
    places: ["loopback same", "loopback apart"],
    quick: ["loopback same"],
  },
  {
    id: `rr-${MANY}`,
    title: `RR, ${MANY} flows, epoll, one worker per side`,
    workload: { test: "rr", flows: MANY },
    ours: ONE_WORKER,
    peers: ["netperf", "neper"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: `rr-${MANY}-uring`,
    title: `RR, ${MANY} flows, uring, one worker per side`,
    workload: { test: "rr", flows: MANY },
    ours: ["--engine", "uring", "--threads", "1"],
    peers: ["netperf", "neper"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: `rr-${MANY}`,
    title: `RR, ${MANY} flows, every tool as it likes`,
    workload: { test: "rr", flows: MANY },
    peers: ["netperf", "neper"],
    places: ["loopback free"],
  },
  {
    id: "crr-1",
    title: "CRR, 1 flow, engine block, server closes first",
    workload: { test: "crr" },
    ours: ["--engine", "block"],
    peers: ["netperf"],
    places: ["loopback same", "loopback apart", "loopback free", "veth same", "veth apart"],
    quick: ["loopback same", "loopback apart"],
  },
  {
    id: `crr-${MANY}`,
    title: `CRR, ${MANY} in flight, epoll, one worker per side, server closes first`,
    workload: { test: "crr", flows: MANY },
    ours: ONE_WORKER,
    peers: ["netperf"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: `crr-${MANY}-uring`,
    title: `CRR, ${MANY} in flight, uring, one worker per side, server closes first`,
    workload: { test: "crr", flows: MANY },
    ours: ["--engine", "uring", "--threads", "1"],
    peers: ["netperf"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: `crr-${MANY}-uring-2`,
    title: `CRR, ${MANY} in flight, uring, two workers per side, server closes first`,
    workload: { test: "crr", flows: MANY },
    ours: ["--engine", "uring", "--threads", "2"],
    peers: ["netperf"],
    places: ["loopback free", "veth free"],
  },
  {
    id: `crr-${MANY}`,
    title: `CRR, ${MANY} in flight, server closes first, every tool as it likes`,
    workload: { test: "crr", flows: MANY },
    peers: ["netperf"],
    places: ["loopback free"],
  },
  {
    id: `crr-${MANY}-reset`,
    title: `CRR, ${MANY} in flight, epoll, one worker per side, client resets`,
    workload: { test: "crr", flows: MANY, close: "reset" },
    ours: ONE_WORKER,
    peers: ["neper"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: "stream-1-16k",
    title: "STREAM, 1 flow, 16 KiB sends, receives of what has come",
    workload: { test: "stream", sendBytes: NETPERF_SEND_BYTES },
    ours: PLAIN_RECEIVES,
    peers: ["netperf", "iperf3", "neper", "qperf"],
    places: ["loopback same", "loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: "stream-1-128k",
    title: "STREAM, 1 flow, 128 KiB sends, receives of what has come",
    workload: { test: "stream", sendBytes: OUR_SEND_BYTES },
    ours: PLAIN_RECEIVES,
    peers: ["netperf", "iperf3", "neper", "qperf"],
    places: ["loopback apart", "veth apart"],
  },
  {
    id: "stream-1",
    title: "STREAM, 1 flow, every tool at its defaults",
    workload: { test: "stream" },
    peers: ["netperf", "iperf3", "neper", "qperf"],
    places: ["loopback same", "loopback apart", "loopback free", "veth same", "veth apart"],
    quick: ["veth apart"],
  },
  {
    id: "stream-1-trunc",
    title: "STREAM, 1 flow, cnb-load with --rx trunc, the others at their defaults",
    workload: { test: "stream" },
    ours: ["--rx", "trunc"],
    peers: ["netperf", "iperf3"],
    places: ["loopback apart", "veth apart"],
  },
  {
    id: "stream-1-large",
    title:
      "STREAM, 1 flow, cnb-load with cubic, large sends and receives, discarded in the kernel; the others at their defaults",
    workload: { test: "stream" },
    ours: [
      ...["--congestion", "cubic", "--send-size", "1M", "--recv-size", "1M"],
      ...["--rx-lowat", "512K", "--rx", "trunc"],
    ],
    peers: ["netperf", "iperf3"],
    places: ["loopback apart", "veth apart"],
  },
  {
    id: `stream-${MANY}`,
    title: `STREAM, ${MANY} flows, every tool at its defaults`,
    workload: { test: "stream", flows: MANY },
    peers: ["netperf", "iperf3", "neper"],
    places: ["loopback apart", "loopback free", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: "maerts-1",
    title: "MAERTS, 1 flow, every tool at its defaults",
    workload: { test: "maerts" },
    peers: ["netperf", "iperf3", "neper"],
    places: ["loopback apart", "veth apart"],
    quick: ["loopback apart"],
  },
  {
    id: "udp-rr-1",
    title: "UDP_RR, 1 flow, engine block",
    workload: { test: "udp-rr" },
    ours: ["--engine", "block"],
    peers: ["netperf"],
    places: ["loopback same", "loopback apart", "veth apart"],
  },
  {
    id: `udp-rr-1-${SOCKPERF_MESSAGE_BYTES}b`,
    title: `UDP_RR, 1 flow of ${SOCKPERF_MESSAGE_BYTES} B, engine block`,
    workload: { test: "udp-rr", messageBytes: SOCKPERF_MESSAGE_BYTES },
    ours: ["--engine", "block"],
    peers: ["sockperf"],
    places: ["loopback same"],
  },
  {
    id: "udp-stream-1",
    title: `UDP_STREAM, 1 flow, datagrams of ${ETHERNET_BYTES} B as fast as they go, what arrives`,
    workload: { test: "udp-stream", sendBytes: ETHERNET_BYTES },
    peers: ["netperf", "iperf3"],
    places: ["loopback apart", "veth apart"],
  },
  ...REPLACED_HALVES,
];

export const ROWS: readonly Row[] = FAMILIES.flatMap((family) =>
  family.places.map((place) => {
    const [where, pinning] = place.split(" ") as [Where, Pinning];
    return {
      id: `${family.id}-${where}-${pinning}`,
      title: family.title,
      where,
      pinning,
      workload: { flows: 1, messageBytes: 1, sendBytes: null, close: "server", ...family.workload },
      own: family.own ?? "cnb-load",
      ours: family.ours ?? [],
      peers: family.peers,
      quick: family.quick?.includes(place) ?? false,
    };
  }),
);
