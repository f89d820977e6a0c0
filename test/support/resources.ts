import { descriptors, threadNames } from "./processes.js";
import { until } from "./until.js";

/** What a process held of the kernel at one moment. */
export class Resources {
  readonly #pid: number;
  readonly #descriptors: number;

  private constructor(pid: number) {
    this.#pid = pid;
    this.#descriptors = descriptors(pid).length;
  }

  /** Of a program, or of this process. */
  static of({ pid }: { readonly pid: number }): Resources {
    return new Resources(pid);
  }

  /** Resolves once the process holds no more than it did, and no thread of a session. */
  restored(timeoutMs: number): Promise<void> {
    const state = (): string =>
      JSON.stringify({ threads: sessionThreads(this.#pid), descriptors: descriptors(this.#pid) });
    const isRestored = (): boolean =>
      sessionThreads(this.#pid).length === 0 && descriptors(this.#pid).length <= this.#descriptors;
    return until(isRestored, "nothing of the session is left", { timeoutMs, state });
  }
}

/** Threads of the addon that a process has running. */
export function sessionThreads(pid: number): string[] {
  return threadNames(pid).filter((name) => name.startsWith("cnb-"));
}
