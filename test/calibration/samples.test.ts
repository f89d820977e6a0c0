/**
 * Percentiles against every single latency. The server is this test's own: it answers one request at a time, so that between two snapshots
 * of the client exactly one transaction ends, and the difference of their exact sums is its latency.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setImmediate as tick, setTimeout as delay } from "node:timers/promises";
import hdr from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { latencySummary } from "../../src/result/latency.js";
import type { LatencySummary } from "../../src/result/model.js";
import { mergeLatency } from "../../src/result/repeat-merge.js";
import { Half } from "../native/pair.js";
import { clientPlan, serverPlan } from "../native/plans.js";

const FLOWS = 3;
const ROUNDS = 400;

interface Sampled {
  samples: number[];
  summary: LatencySummary;
}

/** Latencies over four orders of magnitude, so that buckets of many widths are met. */
async function hesitate(turn: number): Promise<void> {
  if (turn % 50 === 0) await delay(20);
  else if (turn % 10 === 0) await delay(turn % 7);
  else if (turn % 3 === 0) await tick();
}

/** One run of RR with a worker for each flow. */
async function sample(): Promise<Sampled> {
  const server = createServer({ noDelay: true });
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket.on("error", () => undefined)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const plan = serverPlan({ flows: FLOWS, cpus: Array.from({ length: FLOWS }, () => -1) });
  // To a foreign server a client sends nothing but its requests.
  const client = new Half(clientPlan(plan, port, { foreign: { limit: 0, tos: -1, timeCalls: false } }));
  try {
    await client.ready;
    client.session.openWindow();
    client.session.go();
    while (sockets.length < FLOWS) await once(server, "connection");
    const request = async (socket: Socket): Promise<void> => {
      while (socket.read() === null) await once(socket, "readable");
    };
    for (const socket of sockets) await request(socket);
    const samples: number[] = [];
    let last = 0;
    for (let turn = 0; turn < FLOWS * ROUNDS; turn++) {
      const socket = sockets[turn % FLOWS] as Socket;
      await hesitate(turn);
      socket.write("a");
      // The next request comes when this one's transaction has been counted.
      await request(socket);
      const { counters, latency } = client.session.snapshot(true);
      expect(counters.transactions).toBe(turn + 1);
      const sumNs = latency?.sumNs ?? 0;
      samples.push(sumNs - last);
      last = sumNs;
    }
    client.session.closeWindow();
    await client.stop();
    const summary = latencySummary("rtt", client.session.result().latency);
    if (summary === undefined) throw new Error("nothing was recorded");
    return { samples, summary };
  } finally {
    await client.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** The value that so many per cent of the samples do not exceed. */
function percentileOf(sorted: readonly number[], percentile: number): number {
  return sorted[Math.max(1, Math.ceil((percentile / 100) * sorted.length - 1e-9)) - 1] ?? Number.NaN;
}

function expectToAgree(summary: LatencySummary | undefined, samples: readonly number[]): void {
  const sorted = [...samples].sort((a, b) => a - b);
  expect(summary).toMatchObject({ count: sorted.length, minNs: sorted[0], maxNs: sorted.at(-1) });
  expect(summary?.meanNs).toBeCloseTo(sorted.reduce((sum, one) => sum + one, 0) / sorted.length, 3);
  const shown = { p50Ns: 50, p90Ns: 90, p95Ns: 95, p99Ns: 99, p99_9Ns: 99.9, p99_99Ns: 99.99 } as const;
  for (const [name, percentile] of Object.entries(shown)) {
    const exact = percentileOf(sorted, percentile);
    const error = ((summary?.[name as keyof typeof shown] ?? 0) - exact) / exact;
    // The upper end of the sample's bucket: three significant digits.
    expect(error, `${name} is ${exact}`).toBeGreaterThanOrEqual(0);
    expect(error, `${name} is ${exact}`).toBeLessThanOrEqual(0.001);
  }
}

/** Counts by the value that stands for their bucket. */
function bucketsOf(histogram: hdr.Histogram): [number, number][] {
  if (!(histogram instanceof hdr.JsHistogram)) throw new Error("another kind of histogram");
  const buckets = Array.from({ length: histogram.countsArrayLength }, (_, index): [number, number] => [
    histogram.valueFromIndex(index),
    histogram.getCountAtIndex(index),
  ]);
  return buckets.filter(([, count]) => count > 0);
}

describe("percentiles", () => {
  it("are those of every single latency, of one run and of several results made into one", async () => {
    const runs = [await sample(), await sample()];
    for (const { summary, samples } of runs) expectToAgree(summary, samples);
    const all = runs.flatMap(({ samples }) => samples);
    const merged = await mergeLatency(runs.map(({ summary }) => summary));
    expectToAgree(merged, all);
    // As if one histogram, of another make, had recorded everything.
    const single = hdr.build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 2 ** 42,
      numberOfSignificantValueDigits: 3,
    });
    for (const ns of all) single.recordValue(ns);
    const decoded = hdr.decodeFromCompressedBase64(merged?.hdr ?? "");
    expect(bucketsOf(decoded)).toEqual(bucketsOf(single));
  });
});
