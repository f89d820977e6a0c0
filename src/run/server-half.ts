import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { plainAddress } from "../control/addresses.js";
import type { ServerHalf, SessionRequest } from "../control/server-session.js";
import type { Turns } from "../control/turns.js";
import { CnbLoadError } from "../errors.js";
import type { NativeAddon, NativePlan } from "../native/index.js";
import { type ResolvedServeOptions, type ResolvedSpec, checkResolvedSpec, makesConnections } from "../options/spec.js";
import { formatDuration } from "../options/durations.js";
import type { Profile } from "../profile/recorder.js";
import type { EndReport } from "../result/raw.js";
import { checkBandwidth, watchBandwidth } from "./bandwidth.js";
import { coreRanks, supplyOf } from "./cpu-groups.js";
import { checkDescriptors } from "./descriptors.js";
import type { Environment } from "./environment.js";
import { Half, type WindowObserver, withoutHistograms } from "./half.js";
import { hostContext } from "./host-context.js";
import { checkMemory } from "./memory.js";
import { Profiling } from "./profile.js";
import { chooseCrew, engineRefusal, planHalf, setupTimeoutMs } from "./plan.js";

const MS = 1e6;

/** Throws ERR_LIMIT for a test that exceeds what this server grants. */
function checkLimits(spec: ResolvedSpec, options: ResolvedServeOptions): void {
  if (spec.flows > options.maxFlows) {
    const most = `${options.maxFlows} ${options.maxFlows === 1 ? "flow" : "flows"}`;
    const text = `flows: this server allows ${most} per session (--max-flows), ${spec.flows} were asked for`;
    throw new CnbLoadError("ERR_LIMIT", text, { option: "flows" });
  }
  const lengthNs = spec.warmupNs + spec.durationNs;
  if (lengthNs > options.maxDurationNs) {
    const [most, asked] = [formatDuration(options.maxDurationNs), formatDuration(lengthNs)];
    const text = `duration: this server allows tests of ${most} (--max-duration), ${asked} with warm-up were asked for`;
    throw new CnbLoadError("ERR_LIMIT", text, { option: "duration" });
  }
  checkBandwidth(spec, options);
}

/** The port that the session's flows come to: the server's fixed one, or the one that the client asks for; 0 = ephemeral. */
function choosePort(spec: ResolvedSpec, { dataPort }: ResolvedServeOptions): number {
  if (dataPort !== 0 && spec.dataPort !== 0 && spec.dataPort !== dataPort) {
    const text = `dataPort: this server's data port is fixed to ${dataPort} (--data-port), ${spec.dataPort} was asked for`;
    throw new CnbLoadError("ERR_LIMIT", text, { option: "dataPort" });
  }
  return dataPort === 0 ? spec.dataPort : dataPort;
}

/** Who may connect without a cookie: the client's address as the control connection shows it, and those it declares. */
function peersOf({ remoteAddress, sources }: SessionRequest): string[] {
  const bad = sources.find((address) => isIP(address) === 0);
  if (bad !== undefined) throw new CnbLoadError("ERR_PROTOCOL", "setup.sources: expected numeric addresses");
  return [...new Set([remoteAddress, ...sources.map(plainAddress)])];
}

/** What the sessions of a server share. */
export interface Surroundings {
  environment: Environment;
  turns: Turns;
  /** Where each session's profile is to be, if anywhere. */
  profileFolder: string | undefined;
}

/** A session of the server: the half that the control protocol drives, and what the server's log wants to know of it. */
export class ServedHalf implements ServerHalf {
  readonly spec: ResolvedSpec;
  readonly prepared: ServerHalf["prepared"];
  /** performance.now() by which the session will have ended if all goes well. */
  readonly endsBy: number;
  readonly #addon: NativeAddon;
  readonly #half: Half;
  readonly #localAddress: string;
  readonly #profiling: Profiling | undefined;
  readonly #turns: Turns;
  #aborted = false;
  #report: Promise<EndReport> | undefined;

  /** Throws CnbLoadError to refuse. */
  constructor(
    request: SessionRequest,
    options: ResolvedServeOptions,
    { environment, turns, profileFolder }: Surroundings,
  ) {
    this.#turns = turns;
    this.spec = checkResolvedSpec(request.spec);
    this.#localAddress = request.localAddress;
    this.#addon = environment.addon();
    const refusal = engineRefusal(this.spec, "server", this.#addon);
    const plan = makePlan(request, this.spec, options, environment, refusal);
    this.#profiling = profileFolder === undefined ? undefined : new Profiling(profileFolder, this.spec);
    this.#half = openHalf(plan, environment, refusal, this.#profiling);
    watchBandwidth(this.#half, options);
    this.endsBy = performance.now() + (this.spec.warmupNs + this.spec.durationNs) / MS;
    this.prepared = {
      dataPort: this.#half.port,
      cookie: Buffer.from(plan.cookie).toString("hex"),
      engine: plan.engine,
      workers: plan.cpus.length,
      cpus: plan.cpus,
    };
  }

  get halted(): AbortSignal {
    return this.#half.halted;
  }

  /** Ends the session for the server's own reason. */
  halt(reason: CnbLoadError): void {
    this.#half.halt(reason);
  }

  get setupMs(): number {
    return setupTimeoutMs(this.spec.flows);
  }

  get warmupMs(): number {
    return this.spec.warmupNs / MS;
  }

  get durationMs(): number {
    return this.spec.durationNs / MS;
  }

  get maxSamples(): number {
    const { durationNs, intervalNs } = this.spec;
    return intervalNs === 0 ? 0 : Math.ceil(durationNs / intervalNs);
  }

  async ready(): Promise<void> {
    await Promise.all([this.#half.ready, this.#profiling?.ready()]);
  }

  /** To be called once the session is over, whatever became of it. Throws CnbLoadError. */
  async finishProfile(): Promise<Profile | undefined> {
    return this.#profiling?.finish();
  }

  go(): void {
    this.#half.go();
  }

  openWindow(): void {
    this.#half.openWindow();
  }

  sample(): ReturnType<ServerHalf["sample"]> {
    const { windowNs, counters, tcp } = this.#half.snapshot(false, this.spec.test === "tcp_maerts");
    const { bytesSent, bytesReceived } = counters;
    return tcp === undefined ? { windowNs, bytesSent, bytesReceived } : { windowNs, bytesSent, bytesReceived, tcp };
  }

  closeWindow(): void {
    this.#half.closeWindow();
  }

  markAborted(): void {
    this.#aborted = true;
  }

  /** Whether the client ended the test before its time. */
  get aborted(): boolean {
    return this.#aborted;
  }

  finish(): Promise<EndReport> {
    this.#report ??= this.#stopAndReport();
    return this.#report;
  }

  async #stopAndReport(): Promise<EndReport> {
    await this.#half.stop();
    await this.#turns.next();
    return withoutHistograms(this.#half.report(hostContext(this.#addon, this.#localAddress)));
  }
}

function makePlan(
  request: SessionRequest,
  spec: ResolvedSpec,
  options: ResolvedServeOptions,
  environment: Environment,
  engineRefusal: string | null,
): NativePlan {
  checkLimits(spec, options);
  const addon = environment.addon();
  const own = supplyOf(options.cpus, addon.allowedCpus(), "cpus", environment);
  const asked = supplyOf(spec.serverCpus, own.wanted ?? own.allowed, "serverCpus", environment);
  const cpus = { allowed: asked.allowed, wanted: spec.serverCpus === null ? own.wanted : asked.wanted };
  checkDescriptors(chooseCrew({ role: "server", spec, cpus, engineRefusal }), environment);
  const plan = planHalf({
    role: "server",
    spec,
    cpus: {
      ...cpus,
      option: "serverCpus",
      current: addon.currentCpu(),
      taken: [],
      coreRank: coreRanks(cpus.allowed, environment),
    },
    address: request.localAddress,
    port: choosePort(spec, options),
    // Long-lived flows prove themselves by the cookie, from wherever NAT lets them come.
    addresses: makesConnections(spec.test) ? peersOf(request) : [],
    localPorts: null,
    cookie: randomBytes(16),
    engineRefusal,
  });
  checkMemory(plan, options.maxMemoryBytes, environment.read);
  return plan;
}

/** A data port that is taken means: busy. */
function openHalf(
  plan: NativePlan,
  environment: Environment,
  engineRefusal: string | null,
  window: WindowObserver | undefined,
): Half {
  try {
    return new Half(environment.addon(), plan, engineRefusal, window);
  } catch (error) {
    if (!(error instanceof CnbLoadError) || error.code !== "ERR_LISTEN" || plan.port === 0) throw error;
    throw new CnbLoadError("ERR_BUSY", `data port ${plan.port} is in use`, { cause: error, retryAfterMs: 1000 });
  }
}
