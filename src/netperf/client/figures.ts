/** From what the iterations measured to what netperf prints. */
import { randomUUID } from "node:crypto";
import { latencyFigures } from "../../result/latency.js";
import type { NativeTcpState } from "../../native/index.js";
import type { IntervalLatency } from "../../result/model.js";
import type { RawHistogram } from "../../result/raw.js";
import type { CpuFigures } from "../cpu-figures.js";
import { inUnit, unitName } from "../output/units.js";
import type { SocketBuffers } from "../socket-buffers.js";
import { intervalWidths } from "./confidence.js";
import type { Measurement, MeasuredSide } from "./measurement.js";
import { type Settings, type SideSettings, hasTransactions } from "./settings.js";

export interface SideFigures extends MeasuredSide {
  asked: SideSettings;
  initial: SocketBuffers;
  /** Percent of the whole machine, mean over iterations; -1 = not measured. */
  cpuUtil: number;
  cpu: CpuFigures | undefined;
  /** Microseconds of CPU per KB or transaction; -1 = not measured. */
  serviceDemand: number;
}

export interface Confidence {
  level: number;
  widthPct: number;
  /** Widths reached, percent of the mean. */
  throughput: number;
  localCpu: number;
  remoteCpu: number;
  reached: boolean;
}

/** Means over iterations where there were several; counts and sizes are the last one's. */
export interface Figures {
  settings: Settings;
  /** RR, CRR or CC. */
  requests: boolean;
  /** One letter, with `x` only where there are transactions. */
  unit: string;
  unitName: string;
  throughput: number;
  elapsedSeconds: number;
  /** Per second; 1 for streams, as netperf has it. */
  transactionRate: number;
  /** Mean, from the rate; -1 for streams. */
  roundTripUs: number;
  mssBytes: number;
  iterations: number;
  confidence: Confidence | undefined;
  local: SideFigures;
  remote: SideFigures;
  latency: IntervalLatency | undefined;
  histogram: RawHistogram | undefined;
  tcp: NativeTcpState | undefined;
  source: string;
  destination: string;
  /** AF_INET or AF_INET6 of Linux. */
  destinationFamily: number;
  uuid: string;
  /** Bytes of the last iteration as a rate in the unit, or 10^6 bits where that is transactions. */
  rate: (bytes: number) => number;
}

export function unitOf(settings: Settings): string {
  const requests = hasTransactions(settings.kind);
  if (settings.unit === "") return requests ? "x" : "m";
  return settings.unit === "x" && !requests ? "m" : settings.unit;
}

/** The headline of one iteration. */
export function throughputOf(settings: Settings, measured: Measurement): number {
  const unit = unitOf(settings);
  if (unit === "x") return measured.transactions / measured.elapsedSeconds;
  const bytes =
    settings.kind === "receive"
      ? measured.local.bytesReceived
      : measured.remote.bytesReceived + (settings.kind === "send" ? 0 : measured.remote.bytesSent);
  return inUnit(bytes / measured.elapsedSeconds, unit);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Microseconds of CPU time per transaction, or per KB that the client moved. */
function serviceDemand(settings: Settings, measured: Measurement, cpu: CpuFigures | undefined): number {
  if (cpu === undefined) return -1;
  const { elapsedSeconds, transactions, local } = measured;
  const work = unitOf(settings) === "x" ? transactions : (local.bytesSent + local.bytesReceived) / 1024;
  return work === 0 ? 0 : (cpu.cpuUtil * 10_000 * cpu.cpus) / (work / elapsedSeconds);
}

export function figuresOf(settings: Settings, iterations: readonly Measurement[], source: string): Figures {
  const last = iterations.at(-1);
  if (last === undefined) throw new Error("nothing was measured");
  const unit = unitOf(settings);
  const requests = hasTransactions(settings.kind);
  const mean = (pick: (one: Measurement) => number): number => average(iterations.map(pick));
  const side = (name: "local" | "remote", asked: SideSettings): SideFigures => ({
    ...last[name],
    asked,
    cpu: last[name].cpu,
    cpuUtil: mean((one) => one[name].cpu?.cpuUtil ?? -1),
    serviceDemand: mean((one) => serviceDemand(settings, one, one[name].cpu)),
  });
  const elapsedSeconds = mean((one) => one.elapsedSeconds);
  const transactionRate = requests ? mean((one) => one.transactions / one.elapsedSeconds) : 1;
  return {
    ...{ settings, requests, unit, elapsedSeconds, transactionRate, source },
    unitName: unitName(unit),
    throughput: mean((one) => throughputOf(settings, one)),
    roundTripUs: requests ? (transactionRate === 0 ? 0 : (1e6 / transactionRate) * (1 + settings.burst)) : -1,
    mssBytes: last.mssBytes,
    iterations: iterations.length,
    confidence: settings.confidence.asked ? confidenceOf(settings, iterations) : undefined,
    local: side("local", settings.local),
    remote: side("remote", settings.remote),
    latency: latencyFigures("rtt", last.latency),
    histogram: last.latency,
    tcp: last.tcp,
    destination: settings.dataHost === "" ? settings.host : settings.dataHost,
    destinationFamily: last.peerAddress.includes(":") ? 10 : 2,
    uuid: settings.uuid ?? randomUUID(),
    rate: (bytes) => inUnit(bytes / last.elapsedSeconds, unit === "x" ? "m" : unit),
  };
}

export function confidenceOf(settings: Settings, iterations: readonly Measurement[]): Confidence {
  const { level, widthPct, resultOnly } = settings.confidence;
  const widths = intervalWidths(level, [
    iterations.map((one) => throughputOf(settings, one)),
    iterations.map((one) => one.local.cpu?.cpuUtil ?? -1),
    iterations.map((one) => one.remote.cpu?.cpuUtil ?? -1),
  ]);
  const [throughput = 0, localCpu = 0, remoteCpu = 0] = widths;
  const reached = (resultOnly ? [throughput] : widths).every((width) => width <= widthPct);
  return { level, widthPct, throughput, localCpu, remoteCpu, reached };
}
