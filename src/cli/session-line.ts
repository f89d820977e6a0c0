import { formatFlows } from "../report/describe.js";
import { formatBitRate, formatRate, formatSeconds } from "../report/units.js";
import type { SessionSummary } from "../run/index.js";

/** "10.0.0.1: tcp_rr, 32 flows, 10.0 s, 45.68 k/s, completed" */
export function renderSession({
  peer,
  test,
  flows,
  windowNs,
  outcome,
  error,
  profile,
  profileError,
  ...counts
}: SessionSummary): string {
  const parts: string[] = [];
  if (test !== undefined) parts.push(test);
  if (flows !== undefined) parts.push(formatFlows(flows));
  if (test !== undefined && windowNs > 0) parts.push(formatSeconds(windowNs), rateOf(test, counts, windowNs));
  parts.push(error === undefined ? outcome : `${outcome}: ${error.message}`);
  if (profile !== undefined) parts.push(`flame graph in ${profile.svg}`);
  if (profileError !== undefined) parts.push(`no flame graph: ${profileError}`);
  return `${peer}: ${parts.join(", ")}`;
}

type Counts = Pick<SessionSummary, "bytesSent" | "bytesReceived" | "transactions">;

function rateOf(test: NonNullable<SessionSummary["test"]>, counts: Counts, windowNs: number): string {
  const seconds = windowNs / 1e9;
  switch (test) {
    case "tcp_stream":
    case "udp_stream":
      return `${formatBitRate((counts.bytesReceived * 8) / seconds)} received`;
    case "tcp_maerts":
      return `${formatBitRate((counts.bytesSent * 8) / seconds)} sent`;
    case "tcp_rr":
    case "tcp_crr":
    case "tcp_cc":
    case "udp_rr":
      return formatRate(counts.transactions / seconds);
  }
}
