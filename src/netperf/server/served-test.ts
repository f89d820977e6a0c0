import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { CnbLoadError } from "../../errors.js";
import type { NativePlan } from "../../native/index.js";
import type { ResolvedServeOptions } from "../../options/spec.js";
import { watchBandwidth } from "../../run/bandwidth.js";
import type { Environment } from "../../run/environment.js";
import { Half } from "../../run/half.js";
import { type CpuSample, cpuUsage, readCpuSample } from "../../result/cpu.js";
import { readHostContext } from "../../result/host.js";
import type { LocalEnd } from "../../result/raw.js";
import { type CpuFigures, cpuFigures } from "../cpu-figures.js";
import { type Job, Refusal } from "./request.js";

/** netserver's allowance for a client whose clock started later than ours: no new connection or datagram may come after it. */
const PAD_MS = 4000;
/** What a client has sent may be long on its way out of a full queue; while its control connection lives it is waited for. */
const DRAIN_MS = 30_000;
/** From the answer to the client's data connection. `netperf -s` sleeps in between. */
const MAX_ADMIT_MS = 60_000;
/** Silence after which a client of a connection test is taken to be done. */
const MIN_QUIET_MS = 250;
const POLL_MS = 50;

/** What a test came to. */
export interface Outcome {
  end: LocalEnd;
  elapsedSeconds: number;
  cpu: CpuFigures | undefined;
  /** errno for the results' error word, 0 = it went well. */
  error: number;
}

/** How long the data connection may be in coming, ms. */
export function admitMs(seconds: number): number {
  return seconds === 0 ? MAX_ADMIT_MS : Math.min(seconds * 1000 + PAD_MS, MAX_ADMIT_MS);
}

type Limits = Pick<ResolvedServeOptions, "maxDurationNs" | "maxBandwidthBitsPerSecond">;

/** One test that a netperf client asked for, from the listening socket to the figures. */
export class ServedTest {
  readonly job: Job;
  readonly #half: Half;
  readonly #maxMs: number;
  readonly #started = performance.now();
  readonly #cpuBefore: CpuSample = readCpuSample();
  #cpuAfter: CpuSample | undefined;

  /** Listens from here on. Throws Refusal where it cannot. The longest duration bounds tests that have no length of their own. */
  constructor(job: Job, plan: NativePlan, limits: Limits, environment: Environment) {
    this.job = job;
    this.#maxMs = limits.maxDurationNs / 1e6;
    try {
      this.#half = new Half(environment.addon(), plan);
    } catch (error) {
      throw new Refusal(errnoOf(error), error instanceof Error ? error.message : String(error));
    }
    watchBandwidth(this.#half, limits);
    // The client's traffic needs no permission, so ours must flow and count from the first byte on.
    this.#half.openWindow();
    this.#half.go();
  }

  /** As it was opened. */
  get plan(): NativePlan {
    return this.#half.plan;
  }

  get port(): number {
    return this.#half.port;
  }

  /** Runs to the end that the job asks for, or until the client has gone. Rejects with nothing; leaves no thread behind. */
  async run(gone: AbortSignal): Promise<Outcome> {
    const half = this.#half;
    const stop = (): void => void half.stop();
    gone.addEventListener("abort", stop, { once: true });
    if (gone.aborted) stop();
    try {
      await this.#pass();
    } finally {
      gone.removeEventListener("abort", stop);
    }
    const finished = performance.now();
    this.#cpuAfter ??= readCpuSample();
    await half.stop();
    const passed = (finished - this.#started) / 1000;
    const { seconds, loop, udp } = this.job;
    const padded = loop === "crr" || (udp && !half.halted.aborted);
    return {
      end: half.report(readHostContext()),
      // The pad is the server's own affair.
      elapsedSeconds: padded && seconds > 0 ? Math.min(passed, seconds) : passed,
      cpu: cpuFigures(cpuUsage(this.#cpuBefore, this.#cpuAfter)),
      error: half.halted.aborted ? errnoOfEnd(half.halted.reason) : 0,
    };
  }

  /** Resolves when the test is over: by its length, its count, or the end of the connection. */
  async #pass(): Promise<void> {
    const { loop, seconds, udp } = this.job;
    if (seconds === 0) return this.#within(this.#maxMs);
    if (loop === "send") return this.#within(seconds * 1000);
    // The mark at the end of datagrams may be lost as they may.
    if (loop !== "crr") return this.#within(seconds * 1000 + (udp ? PAD_MS : DRAIN_MS));
    await this.#within(seconds * 1000);
    this.#cpuAfter = readCpuSample();
    await this.#untilQuiet();
  }

  /** Resolves when the session has ended by itself, or after so long. */
  async #within(ms: number): Promise<void> {
    const cancel = new AbortController();
    await Promise.race([this.#half.ended, delay(ms, undefined, { signal: cancel.signal }).catch(() => undefined)]);
    cancel.abort();
  }

  /**
   * The client of a connection test tells nobody when it stops, and netserver waits 4 s for a connection that never comes. Here it is done
   * when nothing has happened for as long as several transactions took.
   */
  async #untilQuiet(): Promise<void> {
    const deadline = performance.now() + PAD_MS;
    let { transactions, connections } = this.#half.snapshot(false).counters;
    const meanMs = (this.job.seconds * 1000) / Math.max(1, transactions);
    const quietMs = Math.max(MIN_QUIET_MS, 4 * meanMs);
    let quietSince = performance.now();
    for (let now = quietSince; now < deadline && now - quietSince < quietMs; now = performance.now()) {
      await this.#within(POLL_MS);
      if (this.#half.halted.aborted) return;
      const { counters } = this.#half.snapshot(false);
      if (counters.transactions !== transactions || counters.connections !== connections)
        quietSince = performance.now();
      ({ transactions, connections } = counters);
    }
  }
}

/** The end of the connection is how tests end; anything else is told by its errno. */
function errnoOfEnd(reason: unknown): number {
  if (!(reason instanceof CnbLoadError) || reason.code === "ERR_PEER_LOST" || reason.code === "ERR_CLOSED") return 0;
  return errnoOf(reason);
}

function errnoOf(error: unknown): number {
  if (error instanceof CnbLoadError && error.errno !== undefined) return error.errno;
  return error instanceof CnbLoadError && error.code === "ERR_TIMEOUT"
    ? constants.errno.ETIMEDOUT
    : constants.errno.EIO;
}
