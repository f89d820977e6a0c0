/** `npm run bench`: what the parts cost around a run. None of this runs while traffic is measured, but for snapshots. */
import { Bench } from "tinybench";
import { FrameDecoder, MAX_FRAME_TO_CLIENT, encodeFrame } from "../../dist/control/codec.js";
import { decodeServerMessage } from "../../dist/control/messages.js";
import { type Server, run, serve } from "../../dist/index.js";
import { loadAddon } from "../../dist/native/index.js";
import { resolveRunOptions } from "../../dist/options/spec.js";
import { renderJson } from "../../dist/report/json.js";
import { renderText } from "../../dist/report/text.js";
import { buildResult } from "../../dist/result/build.js";
import { parseEndReport } from "../../dist/result/check.js";
import { encodeHdr } from "../../dist/result/hdr-encode.js";
import { histogramBetween, latencyFigures, latencySummary } from "../../dist/result/latency.js";
import type { RawHistogram } from "../../dist/result/raw.js";
import { significant, textTable } from "../shared/format.js";
import { type Recording, recordRr, withFlows } from "./recording.js";

const FLOWS = 32;
const MANY_FLOWS = 10_000;

function histograms(bench: Bench, { raw }: Recording): void {
  const histogram = raw.local.latency as RawHistogram;
  const half = { ...histogram, counts: Float64Array.from(histogram.counts, (count) => Math.floor(count / 2)) };
  bench
    .add("histogram: figures and percentiles", () => latencyFigures("rtt", histogram))
    .add("histogram: HdrHistogram encoding", () => encodeHdr(histogram))
    .add("histogram: both, as in a result", () => latencySummary("rtt", histogram))
    .add("histogram: what an interval added", () => histogramBetween(half, histogram));
}

function results(bench: Bench, { raw }: Recording): void {
  const many = withFlows(raw, MANY_FLOWS);
  const result = buildResult(raw);
  const report: unknown = JSON.parse(JSON.stringify(many.remote));
  bench
    .add(`result: build, RR, ${FLOWS} flows`, () => buildResult(raw))
    .add(`result: build, RR, ${MANY_FLOWS} flows`, () => buildResult(many))
    .add(`result: check a server's report, ${MANY_FLOWS} flows`, () => parseEndReport(report))
    .add(`result: text, ${FLOWS} flows`, () => renderText(result, { warnings: true }))
    .add(`result: JSON, ${FLOWS} flows`, () => renderJson(result));
}

function control(bench: Bench, { raw }: Recording): void {
  const sampled = { type: "sampled", windowNs: 1e9, bytesSent: 123_456_789_012, bytesReceived: 987_654_321 };
  const report = { type: "report", end: withFlows(raw, MANY_FLOWS).remote };
  const decode = (frame: Buffer): void => {
    for (const value of new FrameDecoder(MAX_FRAME_TO_CLIENT, false).push(frame)) decodeServerMessage(value);
  };
  const small = encodeFrame(sampled, MAX_FRAME_TO_CLIENT);
  const large = encodeFrame(report, MAX_FRAME_TO_CLIENT);
  bench
    .add("control: encode a sample", () => encodeFrame(sampled, MAX_FRAME_TO_CLIENT))
    .add("control: decode a sample", () => decode(small))
    .add(`control: encode a report of ${MANY_FLOWS} flows`, () => encodeFrame(report, MAX_FRAME_TO_CLIENT))
    .add(`control: decode a report of ${MANY_FLOWS} flows`, () => decode(large));
}

function native(bench: Bench, { client }: Recording): void {
  const addon = loadAddon();
  bench
    .add("addon: a call that does nothing (nowNs)", () => addon.nowNs())
    .add(`addon: snapshot of ${FLOWS} workers`, () => client.snapshot(false))
    .add(`addon: snapshot of ${FLOWS} workers with histograms`, () => client.snapshot(true));
}

function runs(bench: Bench, server: Server): void {
  const options = { host: "127.0.0.1", port: server.port, duration: "1ms", warmup: 0 } as const;
  bench
    .add("options: resolve and validate", () => resolveRunOptions({ ...options, test: "tcp_rr" }))
    .add("run: RR of 1 ms, 1 flow, from start to end", () => run({ ...options, test: "tcp_rr" }))
    .add(`run: RR of 1 ms, ${FLOWS} flows, from start to end`, () => run({ ...options, test: "tcp_rr", flows: FLOWS }))
    .add("run: CRR of 1 ms, 1 flow, from start to end", () => run({ ...options, test: "tcp_crr" }));
}

/** From ns on in the unit that leaves at least 1. */
function duration(ms: number): string {
  if (ms >= 1) return `${significant(ms)} ms`;
  return ms >= 1e-3 ? `${significant(ms * 1e3)} us` : `${significant(ms * 1e6)} ns`;
}

function table(bench: Bench): string {
  const rows = bench.tasks.map(({ name, result }) => {
    if (!("latency" in result))
      throw new Error(`${name}: ${result.state}`, { cause: "error" in result && result.error });
    const { p50, p99, min, samplesCount } = result.latency;
    return [name, duration(p50), duration(min), duration(p99), String(samplesCount)];
  });
  return textTable(["part", "median", "least", "p99", "samples"], rows, [1, 2, 3, 4]);
}

const recording = await recordRr(FLOWS);
await using server = await serve({ host: "127.0.0.1", port: 0 });
const bench = new Bench({ time: 250, iterations: 16, warmupTime: 50, warmupIterations: 4 });
histograms(bench, recording);
results(bench, recording);
control(bench, recording);
native(bench, recording);
runs(bench, server);
await bench.run();
console.log(table(bench));
