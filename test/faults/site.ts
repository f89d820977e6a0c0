/** A server as users run it, and what it holds of the kernel, before something is done to it and after. */
import { expect } from "vitest";
import { spawnSync } from "node:child_process";
import { run } from "../../src/run/index.js";
import { anonymousBytes, descriptors, threadNames } from "../support/processes.js";
import { Cli, type ProgramOptions } from "../support/program.js";
import { sessionThreads } from "../support/resources.js";
import { until } from "../support/until.js";

export const HOST = "127.0.0.1";
/** A peer that vanished is found out within 5 s; a busy machine may need a moment more. */
export const FREED_MS = 8000;
/** What a fault may have cost in memory that is not given back at once: the heap grows with what it was used for. */
const HEAP_BYTES = 64e6;
/** A run of 100 ms that is served, from its first packet to its result. */
const SERVED_MS = 2000;

export interface Counters {
  descriptors: number;
  threads: number;
  sessionThreads: number;
  /** Sockets that `ss` lists for the process. */
  sockets: number;
  anonymousBytes: number;
}

function socketsOf(pid: number): number {
  const { stdout } = spawnSync("ss", ["-H", "-a", "-n", "-p", "-t", "-u"], { encoding: "utf8", maxBuffer: 1 << 28 });
  return stdout.split("\n").filter((line) => line.includes(`,pid=${pid},`)).length;
}

export function countersOf(pid: number): Counters {
  return {
    descriptors: descriptors(pid).length,
    threads: threadNames(pid).length,
    sessionThreads: sessionThreads(pid).length,
    sockets: socketsOf(pid),
    anonymousBytes: anonymousBytes(pid),
  };
}

export class Site implements AsyncDisposable {
  readonly server: Cli;
  readonly port: number;
  readonly #before: Counters;

  private constructor(server: Cli, port: number) {
    this.server = server;
    this.port = port;
    this.#before = countersOf(server.pid);
  }

  static async start(args: readonly string[] = [], options: ProgramOptions = {}): Promise<Site> {
    const server = new Cli(["server", "--host", HOST, "--port", "0", ...args], options);
    try {
      const [, port] = await server.saying("stdout", /listening on 127\.0\.0\.1:(\d+)\n/);
      // What is loaded on first use is there from now on.
      await serves(Number(port));
      await until(() => sessionThreads(server.pid).length === 0, "the first session is over");
      return new Site(server, Number(port));
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Nothing is left of whatever happened, and the next run is served in time. */
  async unharmed(): Promise<void> {
    await this.#restored();
    const at = performance.now();
    await serves(this.port);
    expect(performance.now() - at).toBeLessThan(SERVED_MS);
    await this.#restored();
  }

  async #restored(): Promise<void> {
    const { pid } = this.server;
    const same = (): boolean => {
      const now = countersOf(pid);
      return (
        now.sessionThreads === 0 &&
        now.threads <= this.#before.threads &&
        now.descriptors <= this.#before.descriptors &&
        now.sockets <= this.#before.sockets &&
        now.anonymousBytes <= this.#before.anonymousBytes + HEAP_BYTES
      );
    };
    const state = (): string => JSON.stringify({ before: this.#before, now: countersOf(pid) });
    await until(same, "the server holds no more than before", { timeoutMs: FREED_MS, state });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** A run that must succeed. */
export async function serves(port: number): Promise<void> {
  const { state } = await run({ test: "tcp_rr", host: HOST, port, duration: "100ms", warmup: 0 });
  expect(state).toBe("completed");
}
