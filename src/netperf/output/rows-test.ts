import type { Settings } from "../client/settings.js";
import { DIRECTIONS } from "../client/omni.js";
import { type Row, row, fixed2, integer, text } from "./selector-kinds.js";

function carriesRequests({ kind }: Settings): boolean {
  return kind === "rr" || kind === "crr";
}

/** The test, its result and its sizes. */
export const TEST_ROWS: readonly Row[] = [
  row("OUTPUT_NONE", " ", text, () => " "),
  row("SOCKET_TYPE", "Socket Type", text, (f) => (f.settings.protocol === "udp" ? "Datagram" : "Stream")),
  row("PROTOCOL", "Protocol", text, (f) => f.settings.protocol.toUpperCase()),
  row("DIRECTION", "Direction", text, (f) => DIRECTIONS[f.settings.kind]),
  row("ELAPSED_TIME", "Elapsed Time (sec)", fixed2, (f) => f.elapsedSeconds),
  row("THROUGHPUT", "Throughput", fixed2, (f) => f.throughput),
  row("THROUGHPUT_UNITS", "Throughput Units", text, (f) => `${f.unitName}/s`),
  row("LSS_SIZE_REQ", "Local Send Socket Size Requested", integer, (f) => f.local.asked.sndbufBytes),
  row("LSS_SIZE", "Local Send Socket Size Initial", integer, (f) => f.local.initial.sndbufBytes),
  row("LSS_SIZE_END", "Local Send Socket Size Final", integer, (f) => f.local.final.sndbufBytes),
  row("LSR_SIZE_REQ", "Local Recv Socket Size Requested", integer, (f) => f.local.asked.rcvbufBytes),
  row("LSR_SIZE", "Local Recv Socket Size Initial", integer, (f) => f.local.initial.rcvbufBytes),
  row("LSR_SIZE_END", "Local Recv Socket Size Final", integer, (f) => f.local.final.rcvbufBytes),
  row("RSS_SIZE_REQ", "Remote Send Socket Size Requested", integer, (f) => f.remote.asked.sndbufBytes),
  row("RSS_SIZE", "Remote Send Socket Size Initial", integer, (f) => f.remote.initial.sndbufBytes),
  row("RSS_SIZE_END", "Remote Send Socket Size Final", integer, (f) => f.remote.final.sndbufBytes),
  row("RSR_SIZE_REQ", "Remote Recv Socket Size Requested", integer, (f) => f.remote.asked.rcvbufBytes),
  row("RSR_SIZE", "Remote Recv Socket Size Initial", integer, (f) => f.remote.initial.rcvbufBytes),
  row("RSR_SIZE_END", "Remote Recv Socket Size Final", integer, (f) => f.remote.final.rcvbufBytes),
  row("LOCAL_SEND_SIZE", "Local Send Size", integer, (f) => f.local.sendBytes),
  row("LOCAL_RECV_SIZE", "Local Recv Size", integer, (f) => f.local.recvBytes),
  row("REMOTE_SEND_SIZE", "Remote Send Size", integer, (f) => f.remote.sendBytes),
  row("REMOTE_RECV_SIZE", "Remote Recv Size", integer, (f) => f.remote.recvBytes),
  row("REQUEST_SIZE", "Request Size Bytes", integer, (f) =>
    carriesRequests(f.settings) ? f.settings.requestBytes : -1,
  ),
  row("RESPONSE_SIZE", "Response Size Bytes", integer, (f) =>
    carriesRequests(f.settings) ? f.settings.responseBytes : -1,
  ),
];
