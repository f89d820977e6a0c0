/** One row per run, for spreadsheets and data frames (RFC 4180). */
import type { LabelledRun } from "./runs.js";

const LATENCY = [
  "count",
  "minNs",
  "meanNs",
  "stddevNs",
  "p50Ns",
  "p90Ns",
  "p95Ns",
  "p99Ns",
  "p99_9Ns",
  "p99_99Ns",
  "maxNs",
];
const CPU = [
  ...["cpus", "busyCores", "utilization", "userCores", "systemCores", "softirqCores", "irqCores", "iowaitCores"],
  ...["stealCores", "processCores"],
];
const DEMAND = ["nsPerTransaction", "nsPerKiB"];
const HOST = ["hostname", "kernel", "cpuModel", "cpus", "governor", "interface", "mtuBytes", "driver", "version"];
const SPEC = [
  ...["host", "port", "durationNs", "warmupNs", "runs", "flows", "requestBytes", "responseBytes", "burst"],
  ...[
    "coalesce",
    "ratePerSecond",
    "spacing",
    "close",
    "fastOpen",
    "deferAccept",
    "bandwidthBitsPerSecond",
    "batch",
    "gso",
    "gro",
    "retryAfterNs",
  ],
  ...[
    "sendSizeBytes",
    "recvSizeBytes",
    "zerocopy",
    "rx",
    "rxLowatBytes",
    "notsentLowatBytes",
    "sndbufBytes",
    "rcvbufBytes",
    "noDelay",
    "congestion",
    "mssBytes",
  ],
];

const ends = (path: string, names: readonly string[]): string[] =>
  ["local", "remote"].flatMap((end) => names.map((name) => `${path}.${end}.${name}`));
const below = (path: string, names: readonly string[]): string[] => names.map((name) => `${path}.${name}`);

/** Paths of a result, as its schema names them. */
const PATHS = [
  ...["startedAt", "state", "test", ...below("spec", SPEC), "window.durationNs", "engine.local", "engine.remote"],
  ...["throughput.bitsPerSecond", "throughput.bytes", "throughput.sender.bitsPerSecond"],
  ...["transactions.count", "transactions.perSecond", "openLoop.backlog", "connections.count", "connections.perSecond"],
  ...below("datagrams", ["sizeBytes", "sent", "received", "lost", "lostPct", "late", "refused", "receiverDrops"]),
  ...["latency", "connectLatency", "requestLatency"].flatMap((path) => below(path, LATENCY)),
  ...ends("cpu", CPU),
  ...ends("cpu.serviceDemand", DEMAND),
  ...["cpu.normalized.target", "cpu.normalized.unit", "cpu.normalized.localCores", "cpu.normalized.remoteCores"],
  ...below("repeat", ["runs", "meanPerSecond", "meanBitsPerSecond", "confidence", "halfWidthPct"]),
  ...ends("host", HOST),
  ...["error.code", "error.message"],
];

/** `label`, paths of the result, and the codes of its warnings; a figure that does not apply is an empty cell. */
export function renderCsv(runs: readonly LabelledRun[]): string {
  const rows = runs.map(({ label, result }) => {
    const warnings = result.warnings.map(({ code }) => code).join(" ");
    return [label, ...PATHS.map((path) => valueAt(result, path)), warnings];
  });
  return [["label", ...PATHS, "warnings"], ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function valueAt(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
}

/**
 * A text that a spreadsheet would take for a formula gets an apostrophe in front: labels and host names are whatever somebody chose,
 * and opening a table must not run it.
 */
function cell(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return "";
  const plain = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
