/** Finds the options with which a test reaches its highest figure, by short runs before the one that counts. */
import { isDeepStrictEqual } from "node:util";
import { CnbLoadError } from "../errors.js";
import {
  type ResolvedSpec,
  type RunOptions,
  type TestName,
  isBulk,
  isUdp,
  resolveRunOptions,
} from "../options/spec.js";
import type { BestChoice, Probe, Result } from "../result/model.js";
import { ClientRun } from "./client-run.js";
import type { Environment } from "./environment.js";

/** A change must gain so much: less is within what two runs of the same differ by. */
const LEAST_GAIN = 1.03;
const SEND_SIZES = ["64K", "128K", "256K", "512K", "1M"];
const ENGINES = ["block", "epoll", "spin", "uring"] as const;
const LARGE_RECEIVES: Part = { recvSize: "1M", rxLowat: "512K" };
/** A receiver that neither sleeps nor copies. What it gains shows only where the sender keeps up with it. */
const TIRELESS: Part = { engine: "spin", rx: "trunc" };

/** Options by their names in code. */
type Part = Probe["options"];

export interface BestSettings {
  signal?: AbortSignal | undefined;
  onProbe?: ((probe: Probe) => void) | undefined;
}

/**
 * The spec of the run that counts. Goes through what can be chosen, one thing after the other, and keeps each change that gains. What the caller gave stays. Probes that
 * fail are passed over, but for those with the options found so far: their failure is that of the run. Once aborted, ends with what it has.
 */
export async function findBest(
  given: RunOptions,
  environment: Environment,
  settings: BestSettings,
): Promise<{ spec: ResolvedSpec; best: BestChoice }> {
  const { sendSize, ...others } = given;
  const base = sendSize === undefined || sendSize === "auto" || sendSize === 0 ? others : given;
  const search = new Search(base, environment, settings);
  for (const step of given.best === true ? ALL_STEPS : [sendSizes]) await search.take(step);
  const { chosen, probes } = search;
  return { spec: resolveRunOptions({ ...base, ...chosen }), best: { chosen, probes } };
}

class Search {
  chosen: Part = {};
  readonly probes: Probe[] = [];
  readonly #base: RunOptions;
  readonly #environment: Environment;
  readonly #settings: BestSettings;
  #sameHost = false;

  constructor(base: RunOptions, environment: Environment, settings: BestSettings) {
    this.#base = base;
    this.#environment = environment;
    this.#settings = settings;
  }

  async take(step: Step): Promise<void> {
    const spec = this.#resolve({}) as ResolvedSpec;
    const changes = step({ spec, environment: this.#environment, sameHost: this.#sameHost });
    const worthwhile = changes.filter((change) => this.#isOpen(change) && this.#isNew(change, spec));
    if (worthwhile.length === 0) return;
    let standing = await this.#measure({});
    let winner: Part | undefined;
    let highest = standing * LEAST_GAIN;
    for (const change of worthwhile) {
      const figure = await this.#measure(change);
      if (figure <= highest) continue;
      highest = figure;
      winner = change;
    }
    if (winner === undefined) return;
    // Something else may have been in the way of what stood, and only then: both again.
    standing = Math.max(standing, await this.#measure({}));
    highest = Math.max(highest, await this.#measure(winner));
    if (highest > standing * LEAST_GAIN) this.chosen = { ...this.chosen, ...winner };
  }

  /** The figure of a short run with what was found so far and a change; 0 where it has none. */
  async #measure(change: Part): Promise<number> {
    const { signal, onProbe } = this.#settings;
    const spec = this.#resolve(change);
    if (spec === undefined || signal?.aborted === true) return 0;
    const options = { ...this.chosen, ...change };
    let probe: Probe;
    try {
      const result = await new ClientRun(spec, this.#environment, { onInterval: () => undefined }).execute(signal);
      if (result.state !== "completed") return 0;
      this.#sameHost = result.warnings.some(({ code }) => code === "SAME_HOST");
      probe = { options, ...figureOf(result) };
    } catch (error) {
      if (!(error instanceof CnbLoadError) || Object.keys(change).length === 0) throw error;
      probe = { options, error: error.message };
    }
    this.probes.push(probe);
    onProbe?.(probe);
    return probe.bitsPerSecond ?? probe.perSecond ?? 0;
  }

  /** Undefined where the options do not go together. */
  #resolve(change: Part): ResolvedSpec | undefined {
    const { warmup, duration } = this.#environment.probe;
    const short = { warmup, duration, interval: 0, runs: 1, untilCi: 0 };
    try {
      return resolveRunOptions({ ...this.#base, ...this.chosen, ...change, ...short });
    } catch (error) {
      if (Object.keys(change).length === 0) throw error;
      return undefined;
    }
  }

  /** Whether a change leaves alone what the caller gave. */
  #isOpen(change: Part): boolean {
    return Object.keys(change).every((key) => this.#base[key as keyof RunOptions] === undefined);
  }

  #isNew(change: Part, spec: ResolvedSpec): boolean {
    const changed = this.#resolve(change);
    return changed !== undefined && !isDeepStrictEqual(changed, spec);
  }
}

const isStream = (test: TestName): boolean => isBulk(test) && !isUdp(test);

interface StepContext {
  spec: ResolvedSpec;
  environment: Environment;
  sameHost: boolean;
}
/** The ways to do one thing that are worth a try. */
type Step = (context: StepContext) => Part[];

const congestions: Step = ({ spec, environment }) => {
  if (!isStream(spec.test)) return [];
  const names = (path: string): string[] => environment.read(path)?.trim().split(/\s+/) ?? [];
  const [current] = names("/proc/sys/net/ipv4/tcp_congestion_control");
  const others = names("/proc/sys/net/ipv4/tcp_available_congestion_control").filter((name) => name !== current);
  return others.map((congestion) => ({ congestion }));
};

const sendSizes: Step = ({ spec }) => (isStream(spec.test) ? SEND_SIZES.map((sendSize) => ({ sendSize })) : []);

const receives: Step = ({ spec }) =>
  isStream(spec.test)
    ? [LARGE_RECEIVES, { rx: "trunc" }, { ...LARGE_RECEIVES, rx: "trunc" }, TIRELESS, { ...TIRELESS, sendSize: "1M" }]
    : [];

const sends: Step = ({ spec }) => (isStream(spec.test) ? [{ zerocopy: "sendfile" }] : []);

const datagrams: Step = ({ spec }) =>
  spec.test === "udp_stream" ? [{ batch: 32 }, { gso: true, gro: true }, { gso: true, gro: true, batch: 32 }] : [];

const engines: Step = () => ENGINES.map((engine) => ({ engine }));

const threads: Step = ({ spec, environment }) => {
  const most = environment.addon().allowedCpus().length;
  if (spec.flows === 1 || most === 1 || spec.engine === "auto" || spec.engine === "block") return [];
  return [{ threads: 1 }, { threads: Math.min(spec.flows, most) }];
};

/** Two ends on one host wake each other faster on one CPU; a spinning one would keep the other from it. */
const placements: Step = ({ spec, environment, sameHost }) => {
  const [first] = environment.addon().allowedCpus();
  if (!sameHost || spec.engine === "spin" || first === undefined) return [];
  return [{ cpus: [first], serverCpus: [first] }];
};

/** Greatest effect first: what comes later is tried with what was found before. The receiver of bulk data is the limit until it is relieved. */
const ALL_STEPS: readonly Step[] = [congestions, receives, sendSizes, sends, datagrams, engines, threads, placements];

function figureOf({ throughput, transactions }: Result): Pick<Probe, "bitsPerSecond" | "perSecond"> {
  const bitsPerSecond = throughput?.bitsPerSecond;
  if (bitsPerSecond !== undefined) return { bitsPerSecond };
  return transactions === undefined ? {} : { perSecond: transactions.perSecond };
}
