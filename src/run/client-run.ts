import { setTimeout as delay } from "node:timers/promises";
import { onAbort, unlessAborted } from "../control/abort.js";
import { ControlClient } from "../control/client.js";
import { MAX_SOURCES } from "../control/messages.js";
import { CnbLoadError } from "../errors.js";
import { type ResolvedSpec, conflictingOption, isBulk } from "../options/spec.js";
import { parseEndReport } from "../result/check.js";
import { readHostContext } from "../result/host.js";
import { buildInterval } from "../result/interval.js";
import type { HostContext, Interval, Result, Warning } from "../result/model.js";
import type { EndReport, IntervalPoint } from "../result/raw.js";
import type { Profile, Recorder } from "../profile/recorder.js";
import { checkDescriptors } from "./descriptors.js";
import { coreRanks, supplyOf } from "./cpu-groups.js";
import { type Environment, introduction } from "./environment.js";
import { Half, emptyCounters, emptyEnd } from "./half.js";
import { hostContext } from "./host-context.js";
import { checkCpus } from "./placement.js";
import { chooseCrew, engineRefusal, planHalf, setupTimeoutMs } from "./plan.js";
import { portBudget } from "./ports.js";
import { startRecorder } from "./profile.js";

/** Why a run was halted when the caller's AbortSignal did it, or a wait when the window was over. */
class Stopped extends Error {}

const MS = 1e6;

export interface ClientRunSettings {
  onInterval: (interval: Interval) => void;
  /** Folder for a profile of this host over the window. */
  profile?: string | undefined;
}

/** One run of the client from end to end. `execute()` is called once. */
export class ClientRun {
  readonly #spec: ResolvedSpec;
  readonly #environment: Environment;
  readonly #onInterval: (interval: Interval) => void;
  readonly #profileFolder: string | undefined;
  readonly #startedAt = new Date().toISOString();
  /** Aborted with the reason why the ordinary course cannot go on. */
  readonly #halt = new AbortController();
  readonly #windowOver = new AbortController();
  readonly #intervals: Interval[] = [];
  readonly #warnings: Warning[] = [];
  #client: ControlClient | undefined;
  #half: Half | undefined;
  #recorder: Recorder | undefined;
  #host: HostContext | undefined;
  #lastPoint: IntervalPoint = { atNs: 0, local: { windowNs: 0, counters: emptyCounters() } };
  /** A sample on its way; never rejects. */
  #sampling: Promise<void> | undefined;

  constructor(spec: ResolvedSpec, environment: Environment, { onInterval, profile }: ClientRunSettings) {
    this.#spec = spec;
    this.#environment = environment;
    this.#onInterval = onInterval;
    this.#profileFolder = profile;
  }

  /**
   * Resolves with the result, completed or aborted by the signal. Rejects with CnbLoadError, whose `result` holds what was measured
   * where the window had been opened. Whatever happens, every thread has been joined and every socket closed before.
   */
  async execute(signal: AbortSignal | undefined): Promise<Result> {
    const unhook = signal && onAbort(signal, () => this.#halt.abort(new Stopped()));
    try {
      const failure = await this.#measure();
      const { remote, trouble } = await this.#wrapUp(failure);
      return await this.#conclude(failure ?? trouble, remote);
    } finally {
      unhook?.();
      await this.#recorder?.[Symbol.asyncDispose]();
    }
  }

  /** Everything up to the end of the window; returns what cut it short, if anything did. */
  async #measure(): Promise<unknown> {
    try {
      this.#halt.signal.throwIfAborted();
      const half = await this.#setUp();
      await this.#start(half);
      await this.#passWindow(half);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #setUp(): Promise<Half> {
    const spec = this.#spec;
    const { signal } = this.#halt;
    const addon = this.#environment.addon();
    const cpus = supplyOf(spec.cpus, addon.allowedCpus(), "cpus", this.#environment);
    checkCpus({ ...cpus, option: "cpus" });
    const refusal = engineRefusal(spec, "client", addon);
    checkDescriptors(chooseCrew({ role: "client", spec, cpus, engineRefusal: refusal }), this.#environment);
    const budget = portBudget(spec, this.#environment.read);
    if (budget.warning !== null) this.#warnings.push(budget.warning);
    if (spec.bind.length > MAX_SOURCES) {
      throw conflictingOption("bind", `expected at most ${MAX_SOURCES} addresses, got ${spec.bind.length}`);
    }

    const { credentials } = this.#environment;
    if (this.#profileFolder !== undefined) {
      this.#recorder = await startRecorder(this.#profileFolder, spec, "client", new Date(this.#startedAt));
    }
    const target = { host: spec.host, port: spec.port, family: spec.family, bind: spec.bind[0], ...credentials };
    const client = await ControlClient.connect(
      target,
      introduction(this.#environment),
      this.#environment.timing,
      signal,
    );
    this.#client = client;
    void client.ended.then((reason) => {
      this.#halt.abort(reason);
    });
    this.#host = hostContext(addon, client.localAddress);
    const prepared = await client.setup(spec, spec.bind, signal);
    const plan = planHalf({
      role: "client",
      spec,
      cpus: {
        ...cpus,
        option: "cpus",
        current: addon.currentCpu(),
        taken: client.sameHost ? prepared.cpus : [],
        coreRank: coreRanks(cpus.allowed, this.#environment),
      },
      address: client.remoteAddress,
      port: prepared.dataPort,
      addresses: spec.bind,
      localPorts: budget.localPorts,
      cookie: Buffer.from(prepared.cookie, "hex"),
      engineRefusal: refusal,
    });
    const half = new Half(addon, plan, refusal, this.#recorder);
    this.#half = half;
    half.halted.addEventListener("abort", () => {
      this.#halt.abort(half.halted.reason);
    });
    return half;
  }

  /** From connecting the flows to the opening of the window. */
  async #start(half: Half): Promise<void> {
    const { warmupNs, flows } = this.#spec;
    const { signal } = this.#halt;
    const client = this.#client as ControlClient;
    await client.ready(setupTimeoutMs(flows), signal);
    await unlessAborted(half.ready, signal);
    if (warmupNs === 0) {
      await client.open(signal);
      half.openWindow();
      await client.go(signal);
      half.go();
    } else {
      await client.go(signal);
      half.go();
      await pause(warmupNs / MS, signal);
      // Not after the answer: both windows shall open at about the same time.
      const opened = client.open(signal);
      half.openWindow();
      await opened;
    }
  }

  /** Waits for the end of the window; takes a point at every interval but one that would leave less than a quarter of another. */
  async #passWindow(half: Half): Promise<void> {
    const { durationNs, intervalNs } = this.#spec;
    const { signal } = this.#halt;
    const opened = performance.now();
    const elapsedNs = (): number => (performance.now() - opened) * MS;
    let index = 0;
    while (intervalNs > 0) {
      // A timer may fire a little early, within the interval that it was to end: each comes once all the same.
      index = Math.max(index, Math.floor(elapsedNs() / intervalNs)) + 1;
      const next = index * intervalNs;
      if (durationNs - next < intervalNs / 4) break;
      await pause((next - elapsedNs()) / MS, signal);
      this.#takePoint(half);
    }
    // Nor does the window end before its time for that.
    while (elapsedNs() < durationNs) await pause(Math.ceil((durationNs - elapsedNs()) / MS), signal);
  }

  /** The window's figures of this moment; of both ends where throughput needs them. Skipped while the server has yet to answer the last. */
  #takePoint(half: Half): void {
    if (this.#sampling !== undefined) return;
    const bulk = isBulk(this.#spec.test);
    const local = half.snapshot(!bulk, this.#spec.test !== "tcp_maerts");
    if (!bulk) {
      this.#passPoint({ atNs: local.atNs, local });
      return;
    }
    const client = this.#client as ControlClient;
    this.#sampling = client.sample(this.#windowOver.signal).then(
      (remote) => {
        this.#sampling = undefined;
        this.#passPoint({ atNs: local.atNs, local, remote });
      },
      // A lost server halts the run by itself.
      () => undefined,
    );
  }

  #passPoint(point: IntervalPoint): void {
    const interval = buildInterval(this.#spec, this.#lastPoint, point);
    this.#lastPoint = point;
    this.#intervals.push(interval);
    this.#onInterval(interval);
  }

  /** Closes the window and ends both halves: in order, or as far as a run that was cut short (`failure`) still can. */
  async #wrapUp(failure: unknown): Promise<{ remote?: EndReport; trouble?: unknown }> {
    const client = this.#client;
    const half = this.#half;
    const { replyMs, reportMs, hurryMs } = this.#environment.timing;
    const inOrder = failure === undefined;
    this.#windowOver.abort(new Stopped());
    try {
      await this.#sampling;
      if (client === undefined) return {};
      const aborted = failure instanceof Stopped;
      if (half?.measured !== true) {
        // Before this end stops: a server that is not told takes its client for lost.
        if (aborted) await client.finish(hurryMs, aborted);
        // A server that closes the flows says why, a little later.
        else if (half?.halted.aborted === true)
          await Promise.race([client.ended, delay(hurryMs, undefined, { ref: false })]);
        return {};
      }
      const closed = client.close(inOrder ? replyMs : hurryMs);
      half.closeWindow();
      await closed;
      // The sender first, so that the receiver can read to the end of each flow; and else this end, as a server that stopped before would
      // reset connections that are still in use.
      if (this.#spec.test !== "tcp_maerts") await half.stop();
      return { remote: parseEndReport(await client.finish(inOrder ? reportMs : hurryMs, aborted)) };
    } catch (trouble) {
      return { trouble, ...lastWords(client) };
    } finally {
      await half?.stop();
      client?.destroy();
    }
  }

  async #conclude(failure: unknown, remote: EndReport | undefined): Promise<Result> {
    const half = this.#half;
    const host = this.#host ?? readHostContext();
    const local = half === undefined ? emptyEnd(host) : half.report(host);
    const state = failure === undefined ? "completed" : failure instanceof Stopped ? "aborted" : "failed";
    const error = state === "failed" ? this.#explain(failure) : undefined;
    if (error !== undefined && half?.measured !== true) throw error;
    if (this.#spec.intervalNs > 0 && local.windowNs > this.#lastPoint.local.windowNs) {
      this.#passPoint({
        atNs: this.#lastPoint.atNs,
        local,
        remote: remote && { ...remote.counters, windowNs: remote.windowNs, tcp: remote.tcp },
      });
    }
    const profile = await this.#finishProfile();
    // Not needed before, and the first byte should not wait for it.
    const { buildResult } = await import("../result/build.js");
    const result = buildResult({
      spec: this.#spec,
      startedAt: this.#startedAt,
      state,
      local,
      remote,
      intervals: this.#intervals,
      warnings: this.#warnings,
      sameHost: this.#client?.sameHost ?? false,
      error: error && { code: error.code, message: error.message },
      profile,
    });
    if (error === undefined) return result;
    return failWith(error, result);
  }

  /** What was measured counts without a profile as well. */
  async #finishProfile(): Promise<Profile | undefined> {
    try {
      return await this.#recorder?.finish();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#warnings.push({
        code: "NO_PROFILE",
        message,
        advice: "all other figures are complete: nothing has to be repeated but for the graph",
      });
      return undefined;
    }
  }

  /** Of all that went wrong the cause: that the peer went away is often only what followed. */
  #explain(failure: unknown): CnbLoadError {
    const known = [failure, this.#half?.halted.reason as unknown, this.#client?.failure];
    const errors = known.filter((error) => error instanceof CnbLoadError);
    const cause = errors.find(({ code }) => code !== "ERR_PEER_LOST") ?? errors[0];
    return cause ?? new CnbLoadError("ERR_PLATFORM", `internal error: ${String(failure)}`, { cause: failure });
  }
}

/** Throws an error that carries what was measured. Not enumerable: printing the error should not print the whole result. */
export function failWith(error: CnbLoadError, result: Result): never {
  throw Object.defineProperty(error, "result", { value: result, configurable: true });
}

/** What a server that failed had measured, if it told. */
function lastWords(client: ControlClient | undefined): { remote?: EndReport } {
  if (client?.failureReport === undefined) return {};
  try {
    return { remote: parseEndReport(client.failureReport) };
  } catch {
    return {};
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.max(0, ms), undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}
