/** Flows: from the rows that an end measures to columns for the wire, and from both ends' columns to the rows of a result. */
import { type ResolvedSpec, isBulk, makesConnections } from "../options/spec.js";
import { compact } from "./compact.js";
import type { FlowResult } from "./model.js";
import { byDirection } from "./rates.js";
import { lostOf } from "./datagrams.js";
import type { ConnectErrors, FlowColumns, FlowDatagrams, TcpInfo } from "./raw.js";

/** One flow as one end saw it. */
export interface FlowRow {
  bytesSent: number;
  bytesReceived: number;
  transactions: number;
  /** -1 = unpinned. */
  cpu: number;
  /** -1 = unknown. */
  incomingCpu?: number | undefined;
  connectErrors?: ConnectErrors | undefined;
  datagrams?: FlowDatagrams | undefined;
  tcpInfo?: TcpInfo | undefined;
}

/** A column that some flow lacks would no longer line up: it is left out. */
function fullColumn<Entry>(rows: readonly FlowRow[], pick: (row: FlowRow) => Entry | undefined): Entry[] | undefined {
  const column = rows.map(pick).filter((entry) => entry !== undefined);
  return rows.length > 0 && column.length === rows.length ? column : undefined;
}

export function flowColumns(rows: readonly FlowRow[]): FlowColumns {
  return compact({
    bytesSent: rows.map((row) => row.bytesSent),
    bytesReceived: rows.map((row) => row.bytesReceived),
    transactions: rows.map((row) => row.transactions),
    cpu: rows.map((row) => row.cpu),
    incomingCpu: fullColumn(rows, (row) => row.incomingCpu),
    connectErrors: fullColumn(rows, (row) => row.connectErrors),
    datagrams: fullColumn(rows, (row) => row.datagrams),
    tcpInfo: fullColumn(rows, (row) => row.tcpInfo),
  });
}

const known = (cpu: number | undefined): number | undefined => (cpu === undefined || cpu < 0 ? undefined : cpu);

function flowDatagrams(
  { test }: ResolvedSpec,
  local: FlowDatagrams | undefined,
  remote: FlowDatagrams | undefined,
): FlowResult["datagrams"] {
  return local && compact({ sent: local.sent, lost: lostOf(test, local, remote) });
}

/** How many flows' packets came in on each CPU; undefined where none of them tells. */
export function incomingCpus({ incomingCpu = [] }: FlowColumns): { cpu: number; flows: number }[] | undefined {
  const counts = new Map<number, number>();
  for (const cpu of incomingCpu.filter((one) => one >= 0)) counts.set(cpu, (counts.get(cpu) ?? 0) + 1);
  if (counts.size === 0) return undefined;
  return [...counts].sort(([a], [b]) => a - b).map(([cpu, flows]) => ({ cpu, flows }));
}

/** The rows of a result. CRR's server knows workers, not flows: its columns say nothing of the client's flows. */
export function flowResults(spec: ResolvedSpec, local: FlowColumns, remote: FlowColumns | undefined): FlowResult[] {
  const peer = makesConnections(spec.test) ? undefined : remote;
  const { sender, receiver } = byDirection<FlowColumns>(spec, { local, remote: peer });
  return local.cpu.map((cpu, flow) => {
    const measured = isBulk(spec.test)
      ? { bytes: receiver?.bytesReceived[flow], sentBytes: sender?.bytesSent[flow] }
      : { transactions: local.transactions[flow] };
    return compact({
      ...measured,
      connectErrors: local.connectErrors?.[flow],
      datagrams: flowDatagrams(spec, sender?.datagrams?.[flow], receiver?.datagrams?.[flow]),
      cpu: known(cpu),
      remoteCpu: known(peer?.cpu[flow]),
      incomingCpu: known(local.incomingCpu?.[flow]),
      remoteIncomingCpu: known(peer?.incomingCpu?.[flow]),
      tcpInfo: sender?.tcpInfo?.[flow],
    });
  });
}
