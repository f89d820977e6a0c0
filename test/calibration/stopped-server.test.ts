/** A server that stands still for 200 ms: an open loop tells how many that would have hurt, a closed loop does not. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import { checkResult } from "../integration/invariants.js";
import { Lab } from "../integration/lab.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { resultOf } from "../support/result-schema.js";

const MS = 1e6;
const STOPPED_MS = 200;

describeIf(rootAndNetns())("while the server stands still for 200 ms", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  /** The length of the stop as the test saw it, and the result of the run that it fell into. */
  async function measure(...args: string[]): Promise<{ stoppedMs: number; result: Result }> {
    await using client = lab.client("rr", "--duration", "3s", "--warmup", "200ms", "-i", "100ms", ...args);
    await client.saying("stderr", / s {2}.* s {2}/s);
    const before = performance.now();
    lab.server.child.kill("SIGSTOP");
    await delay(STOPPED_MS);
    lab.server.child.kill("SIGCONT");
    const stoppedMs = performance.now() - before;
    const finished = await client.finished;
    expect(finished.code, finished.stderr).toBe(0);
    const result = resultOf(finished);
    checkResult(result);
    // Stopped and started are the threads one by one, and each end of that may take a scheduler's turn.
    expect(result.latency?.maxNs).toBeGreaterThanOrEqual(0.9 * STOPPED_MS * MS);
    return { stoppedMs, result };
  }

  it("an open loop counts everybody who waited", async () => {
    const { stoppedMs, result } = await measure("--rate", "1000/s", "--spacing", "constant");
    const { latency, transactions, openLoop, window } = result;
    expect(latency?.p99_9Ns).toBeGreaterThanOrEqual(150 * MS);
    // They go on being due: longer than a time t waits whoever is due in the stop but for its last t.
    const modelledNs = stoppedMs * MS - 0.05 * window.durationNs;
    expect(latency?.p95Ns).toBeGreaterThanOrEqual(0.5 * modelledNs);
    // Nobody was left out: what is more or less was on its way at an edge of the window.
    const due = (1000 * window.durationNs) / 1e9;
    expect(Math.abs((transactions?.count ?? 0) + (openLoop?.backlog ?? 0) - due)).toBeLessThanOrEqual(0.01 * due);
  });

  it("a closed loop counts the one request that it had under way", async () => {
    const { result } = await measure();
    // Of more than a thousand only the one is beyond the 99.9th percentile.
    expect(result.transactions?.count).toBeGreaterThan(2000);
    expect(result.latency?.p99_9Ns).toBeLessThan(150 * MS);
  });
});
