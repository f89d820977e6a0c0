import { CnbLoadError } from "../errors.js";
import type { RunOptions } from "../options/spec.js";
import type { Interval, Probe, Result } from "../result/model.js";
import type { Environment } from "./environment.js";

export interface RunSettings {
  /** Aborting resolves the run with `state: "aborted"` and what was measured until then. */
  signal?: AbortSignal | undefined;
  /**
   * Called with the result of each completed run, and its number from 1 on, where the options ask for several (`runs`, `untilCi`). The result
   * of the whole keeps its figures in `runs`.
   */
  onRun?: ((result: Result, run: number) => void) | undefined;
  /** Called with each probe of `best` or `sendSize: "auto"`, before the run that counts. */
  onProbe?: ((probe: Probe) => void) | undefined;
  /**
   * Folder for a profile of this host (perf, all CPUs, kernel and user stacks) over exactly the window: a flame graph, folded stacks and a
   * file for speedscope, named in the result's `profile`. Of the first run where the options ask for several. Without perf, or without
   * the rights for it, the run rejects with ERR_PLATFORM before anything is sent.
   */
  profile?: string | undefined;
}

/**
 * A run that has been started: await it for the result, iterate over it for the intervals (`interval` in the options sets their length).
 * Both may be done late, any number of times and side by side; leaving a loop early does not end the run. Where it fails, awaiting
 * and iterating throw CnbLoadError; a run that nobody looks at fails silently.
 */
export class Run implements PromiseLike<Result>, AsyncIterable<Interval> {
  readonly #outcome: Promise<Result>;
  readonly #intervals: Interval[] = [];
  #settled = false;
  #changed: Promise<void>;
  #tellChange!: () => void;

  /** @internal Use `run()`. */
  constructor(options: RunOptions, settings: RunSettings, environment: Environment | undefined, from: Error) {
    this.#changed = this.#nextChange();
    // Not before the caller has had the chance to attach itself.
    this.#outcome = Promise.resolve()
      .then(() => this.#execute(options, settings, environment))
      .catch((error: unknown) => {
        throw withCaller(error, from);
      })
      .finally(() => {
        this.#settled = true;
        this.#tellChange();
      });
    this.#outcome.catch(() => undefined);
  }

  then<A = Result, B = never>(
    onFulfilled?: ((result: Result) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#outcome.then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.#outcome.catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<Result> {
    return this.#outcome.finally(onFinally);
  }

  /** All intervals from the first on; ends with the run, and throws where the run failed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Interval, void, undefined> {
    for (let index = 0; ; index++) {
      while (this.#intervals.length <= index) {
        if (this.#settled) {
          await this.#outcome;
          return;
        }
        await this.#changed;
      }
      yield this.#intervals[index] as Interval;
    }
  }

  /** What a run needs is loaded now and not before: importing the package shall cost next to nothing. */
  async #execute(
    options: RunOptions,
    { signal, onRun, onProbe, profile }: RunSettings,
    environment?: Environment,
  ): Promise<Result> {
    const [{ isUdp, resolveAccess, resolveRunOptions }, { readCredentials }, { repeatRuns }, { realEnvironment }] =
      await Promise.all([
        import("../options/spec.js"),
        import("../control/credentials.js"),
        import("./repeat.js"),
        import("./environment.js"),
      ]);
    const onInterval = (interval: Interval): void => {
      this.#intervals.push(interval);
      const tell = this.#tellChange;
      this.#changed = this.#nextChange();
      tell();
    };
    const spec = resolveRunOptions(options);
    const credentials = await readCredentials(resolveAccess(options), "client");
    const surroundings = { ...(environment ?? realEnvironment), credentials };
    const decided = !spec.best && (spec.sendSizeBytes > 0 || isUdp(spec.test));
    if (decided) return repeatRuns(spec, surroundings, { signal, onInterval, onRun, profile });
    const { findBest } = await import("./best.js");
    const found = await findBest(options, surroundings, { signal, onProbe });
    return {
      ...(await repeatRuns(found.spec, surroundings, { signal, onInterval, onRun, profile })),
      best: found.best,
    };
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#tellChange = resolve));
  }
}

/** Starts a run against a server. Bad options, too, reject the run rather than throw here. */
export function run(options: RunOptions, settings: RunSettings = {}): Run {
  return startRun(options, settings, undefined, run);
}

/** `run()` in surroundings of the caller's choice. */
export function startRun(
  options: RunOptions,
  settings: RunSettings,
  environment: Environment | undefined,
  entry: (...args: never[]) => unknown = startRun,
): Run {
  const from = new Error();
  Error.captureStackTrace(from, entry);
  return new Run(options, settings, environment, from);
}

/** Errors come about deep in timers and sockets; what helps is where the run was started. */
function withCaller(error: unknown, from: Error): CnbLoadError {
  const known =
    error instanceof CnbLoadError
      ? error
      : new CnbLoadError("ERR_PLATFORM", `internal error: ${String(error)}`, { cause: error });
  const frames = from.stack?.split("\n").slice(1).join("\n") ?? "";
  known.stack = `${known.stack ?? String(known)}\n  started by run():\n${frames}`;
  return known;
}
