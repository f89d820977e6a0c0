/** Counters of the network stack: of every interface, of receive processing (softnet) and of TCP as a whole. */
import { compact } from "./compact.js";
import type { NetworkUse } from "./model.js";
import { type ReadText, wholeNumber, words } from "./text.js";

type InterfaceCounters = NonNullable<NetworkUse["interface"]>;
type SoftnetCounters = NonNullable<NetworkUse["softnet"]>;
type UdpCounters = NonNullable<NetworkUse["udp"]>;
type TcpCounters = NonNullable<NetworkUse["tcp"]>;

/** Cumulative counters at one moment; two of them make a {@link NetworkUse}. */
export interface NetworkSample {
  interfaces: Map<string, InterfaceCounters>;
  softnet: SoftnetCounters | undefined;
  tcp: TcpCounters | undefined;
  udp?: UdpCounters | undefined;
}

/** /proc/net/dev: name, eight columns of reception, eight of transmission (net/core/net-procfs.c). */
export function parseNetDev(text: string | undefined): Map<string, InterfaceCounters> {
  const interfaces = new Map<string, InterfaceCounters>();
  for (const line of text?.split("\n") ?? []) {
    const [, name, rest] = /^\s*(\S+):(.*)$/.exec(line) ?? [];
    const values = words(rest).map((word) => wholeNumber(word));
    if (name === undefined || values.length < 16 || values.includes(undefined)) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = values;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = values.slice(8);
    interfaces.set(name, { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped });
  }
  return interfaces;
}

/** /proc/net/softnet_stat: a line per CPU, hexadecimal and 32 bits wide (softnet_seq_show() in net/core/net-procfs.c). */
export function parseSoftnet(text: string | undefined): SoftnetCounters | undefined {
  const rows = (text ?? "")
    .split("\n")
    .map((line) => words(line))
    .filter((row) => row.length >= 3 && row.every((word) => /^[0-9a-f]{1,8}$/.test(word)))
    .map((row) => row.map((word) => parseInt(word, 16)));
  if (rows.length === 0) return undefined;
  const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { processed: sum(0), dropped: sum(1), timeSqueezed: sum(2), receivedRps: sum(9) };
}

/** Pairs of lines, names above values, as in /proc/net/snmp and /proc/net/netstat. */
function namedCounters(text: string | undefined, prefix: string): Map<string, number> {
  const [names = [], values = []] = (text ?? "")
    .split("\n")
    .filter((line) => line.startsWith(`${prefix}:`))
    .map((line) => words(line));
  const counters = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const value = wholeNumber(values[index]);
    if (value !== undefined) counters.set(name, value);
  }
  return counters;
}

/** Of the network namespace: /proc/net/snmp (RFC 4022) and /proc/net/netstat. What this kernel does not count stays 0. */
export function parseTcpCounters(snmp: string | undefined, netstat: string | undefined): TcpCounters | undefined {
  const tcp = namedCounters(snmp, "Tcp");
  const extended = namedCounters(netstat, "TcpExt");
  if (tcp.size === 0) return undefined;
  return {
    activeOpens: tcp.get("ActiveOpens") ?? 0,
    passiveOpens: tcp.get("PassiveOpens") ?? 0,
    inSegments: tcp.get("InSegs") ?? 0,
    outSegments: tcp.get("OutSegs") ?? 0,
    retransmittedSegments: tcp.get("RetransSegs") ?? 0,
    timeouts: extended.get("TCPTimeouts") ?? 0,
    listenOverflows: extended.get("ListenOverflows") ?? 0,
    listenDrops: extended.get("ListenDrops") ?? 0,
    fastOpensActive: extended.get("TCPFastOpenActive") ?? 0,
    fastOpensPassive: extended.get("TCPFastOpenPassive") ?? 0,
  };
}

/** Of the network namespace: IPv4's in /proc/net/snmp, IPv6's in /proc/net/snmp6, one to a line (RFC 4113). */
export function parseUdpCounters(snmp: string | undefined, snmp6: string | undefined): UdpCounters | undefined {
  const udp = namedCounters(snmp, "Udp");
  if (udp.size === 0) return undefined;
  const udp6 = new Map(
    (snmp6 ?? "").split("\n").map((line): [string, number] => {
      const [name = "", value] = words(line);
      return [name, wholeNumber(value) ?? 0];
    }),
  );
  const both = (name: string): number => (udp.get(name) ?? 0) + (udp6.get(`Udp6${name}`) ?? 0);
  return {
    inDatagrams: both("InDatagrams"),
    outDatagrams: both("OutDatagrams"),
    noPorts: both("NoPorts"),
    inErrors: both("InErrors"),
    receiveBufferErrors: both("RcvbufErrors"),
    sendBufferErrors: both("SndbufErrors"),
  };
}

/** The counters of now; what is not there is empty. Five files, some tens of microseconds. */
export function readNetworkSample(read: ReadText): NetworkSample {
  const snmp = read("/proc/net/snmp");
  return {
    interfaces: parseNetDev(read("/proc/net/dev")),
    softnet: parseSoftnet(read("/proc/net/softnet_stat")),
    tcp: parseTcpCounters(snmp, read("/proc/net/netstat")),
    udp: parseUdpCounters(snmp, read("/proc/net/snmp6")),
  };
}

/** `width`: where a counter starts again, as softnet's do; any other that shrank was reset and counts as 0. */
function grown<Counters extends object>(
  before: Counters | undefined,
  after: Counters | undefined,
  width = 0,
): Counters | undefined {
  if (before === undefined || after === undefined) return undefined;
  const rows = Object.entries(after as Record<string, number>).map(([name, value]) => {
    const passed = value - ((before as Record<string, number>)[name] ?? 0);
    return [name, width > 0 ? ((passed % width) + width) % width : Math.max(0, passed)];
  });
  return Object.fromEntries(rows) as Counters;
}

/** What grew between two samples; `name` is the interface that carried the test, where it is known. */
export function networkUse(
  before: NetworkSample,
  after: NetworkSample,
  name: string | undefined,
): NetworkUse | undefined {
  const use = compact({
    interface: name === undefined ? undefined : grown(before.interfaces.get(name), after.interfaces.get(name)),
    softnet: grown(before.softnet, after.softnet, 2 ** 32),
    tcp: grown(before.tcp, after.tcp),
    udp: grown(before.udp, after.udp),
  });
  return Object.keys(use).length > 0 ? use : undefined;
}
