import type { Family, TestLength } from "./values.js";

/** `cc` is `crr` without a request. */
export type TestKind = "send" | "receive" | "rr" | "crr" | "cc";
export type Protocol = "tcp" | "udp";
/** The messages that carry a test: OMNI, or the older ones of TCP_STREAM (10) and TCP_CC (300). */
export type Wire = "omni" | "stream" | "cc";
/** Tests that move no data. */
export type SmallTest = "LOC_CPU" | "REM_CPU" | "UUID" | "TCP_MSS";
export type TableStyle = "classic" | "keyval" | "csv" | "human";

/** What one side's socket and calls are asked to be; -1 = not set. */
export interface SideSettings {
  sndbufBytes: number;
  rcvbufBytes: number;
  sendBytes: number;
  recvBytes: number;
  sendAlign: number;
  recvAlign: number;
  sendOffset: number;
  recvOffset: number;
  sendWidth: number;
  recvWidth: number;
  tos: number;
  prio: number;
  congestion: string;
  fillFile: string;
  /** -1 = unbound. */
  cpu: number;
  dataPort: number;
  intervalBurst: number;
  intervalUsecs: number;
}

/** One command line, resolved. */
export interface Settings {
  /** Upper case: "TCP_RR". */
  test: string;
  kind: TestKind;
  protocol: Protocol;
  wire: Wire;
  small: SmallTest | undefined;
  sendfile: boolean;
  title: string;
  /** False with -N: the data port is some other service's. */
  control: boolean;
  /** How often -d was given. */
  debug: number;
  /** -H, -p, -L of the control connection. */
  host: string;
  port: number;
  controlFamily: Family;
  bindHost: string;
  bindPort: number;
  /** -H, -L of the data connection as given, "" = the control connection's. */
  dataHost: string;
  dataSource: string;
  dataFamily: Family;
  length: TestLength;
  sleepSeconds: number;
  headers: boolean;
  verbosity: number;
  /** -f, "" = the test's own. */
  unit: string;
  measureLocalCpu: boolean;
  measureRemoteCpu: boolean;
  confidence: { level: number; widthPct: number; max: number; min: number; resultOnly: boolean; asked: boolean };
  /** Seconds between interim results, 0 = none. */
  interimSeconds: number;
  keepAlive: boolean;
  statistics: boolean;
  brand: string | undefined;
  passphrase: string | undefined;
  uuid: string | undefined;
  local: SideSettings;
  remote: SideSettings;
  noDelay: boolean;
  mssBytes: number;
  burst: number;
  requestBytes: number;
  responseBytes: number;
  /** -R; undefined = the test's own. */
  routing: boolean | undefined;
  /** -V. */
  copyAvoidance: boolean;
  /** Local -C, server's -a, -f at both ends, local -g. */
  cork: boolean;
  deferAccept: boolean;
  pathMtu: boolean;
  socketDebug: boolean;
  /** -q, bytes per second, 0 = none. */
  maxPacingRate: number;
  /** -l, -1 = the system's. */
  multicastTtl: number;
  /** UDP: -n and -N connect the sockets, -B keeps the server's address, -e is the patience of UDP_RR, 0 = endless. */
  connectLocal: boolean;
  connectRemote: boolean;
  packetInfo: boolean;
  receiveTimeoutSeconds: number;
  portRange: [number, number] | null;
  style: TableStyle;
  /** The selection after -k, -o or -O, "" = the default one. */
  selection: string;
  commandLine: string;
  /** Things asked for that are left out, for stderr. */
  notes: string[];
  /** DUMP_TCP_INFO. */
  dumpTcpInfo: boolean;
}

/** Whether a test counts transactions. */
export function hasTransactions(kind: TestKind): boolean {
  return kind === "rr" || kind === "crr" || kind === "cc";
}

export function emptySide(): SideSettings {
  return {
    ...{ sndbufBytes: -1, rcvbufBytes: -1, sendBytes: -1, recvBytes: -1 },
    ...{ sendAlign: 8, recvAlign: 8, sendOffset: 0, recvOffset: 0, sendWidth: 0, recvWidth: 0 },
    ...{ tos: -1, prio: -1, congestion: "", fillFile: "", cpu: -1, dataPort: 0, intervalBurst: 0, intervalUsecs: 0 },
  };
}
