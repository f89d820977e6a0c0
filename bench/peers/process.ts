/**
 * Subprocesses that end: each runs under the meter (bench/native/meter.cc) in a process group of its own, has a deadline, and dies with this
 * process whatever happens.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, readdirSync } from "node:fs";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { BUILD } from "../shared/paths.js";
import { excerpt } from "./contenders/parse.js";

export const METER = `${BUILD}meter`;

export interface Job {
  argv: readonly string[];
  copies?: number;
  /** Network namespace; the caller's own without. */
  namespace?: string | undefined;
  /** CPU to be pinned to from outside. */
  cpu?: number | undefined;
}

/** From wait4(2): of all copies, and of those of their children that they waited for. */
export interface Usage {
  userSeconds: number;
  systemSeconds: number;
  /** Sum of the copies' peaks. */
  peakBytes: number;
}

export interface SoFar {
  /** performance.now() of the look. */
  atMs: number;
  cpuSeconds: number;
  peakBytes: number;
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
  usage: Usage | undefined;
}

/** Where peers leave their log files, if they insist. */
let workingDirectory = "/tmp";

export function workIn(directory: string): void {
  workingDirectory = directory;
}

const alive = new Set<Subprocess>();

/** For process.on("exit"): nothing may wait any more. */
export function killAll(): void {
  for (const subprocess of alive) subprocess.signal("SIGKILL");
}

const STOP_MS = 5_000;
const LISTEN_MS = 30_000;
const POLL_MS = 5;

export class Subprocess {
  readonly argv: readonly string[];
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** performance.now() of the spawn. */
  readonly startedMs = performance.now();
  readonly #child: ChildProcess;
  #over = false;

  constructor({ argv, copies = 1, namespace, cpu }: Job) {
    this.argv = argv;
    const inside = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
    const pinned = cpu === undefined ? [] : ["-c", String(cpu)];
    const [command = "", ...rest] = [...inside, METER, "-n", String(copies), ...pinned, ...argv];
    this.#child = spawn(command, rest, {
      cwd: workingDirectory,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    alive.add(this);
    this.ended = this.#collect();
  }

  /** Resolves when it listens on this port, of TCP or UDP. */
  async listening(port: number): Promise<void> {
    const until = performance.now() + LISTEN_MS;
    while (!this.#over && performance.now() < until) {
      if (listensOn(this.#child.pid, port)) return;
      await delay(POLL_MS);
    }
    const when = this.#over
      ? `ended with exit code ${(await this.ended).code} before`
      : `had not within ${LISTEN_MS} ms`;
    throw await this.#problem(`should listen on port ${port}, but ${when}`);
  }

  /** Waits for an end of its own accord; throws where it failed or outlived the deadline. */
  async finish(timeoutMs: number, signal?: AbortSignal): Promise<Ended> {
    const timer = new AbortController();
    try {
      const late = delay(timeoutMs, undefined, { signal: timer.signal });
      const ended = await Promise.race([this.ended, late, aborted(signal, timer.signal)]);
      signal?.throwIfAborted();
      if (ended === undefined) throw await this.#problem(`did not end within ${timeoutMs} ms`);
      if (ended.code !== 0) throw await this.#problem(`ended with exit code ${ended.code}`);
      return ended;
    } finally {
      timer.abort();
    }
  }

  /** Ends it: politely, then by force. */
  async stop(graceMs = STOP_MS): Promise<Ended> {
    this.signal("SIGINT");
    const timer = new AbortController();
    const late = delay(graceMs, undefined, { signal: timer.signal }).catch(() => undefined);
    if ((await Promise.race([this.ended, late])) === undefined) this.signal("SIGKILL");
    timer.abort();
    return this.ended;
  }

  /** Goes to the whole process group. */
  signal(name: NodeJS.Signals): void {
    if (this.#over || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, name);
    } catch {
      // It has gone this very moment.
    }
  }

  /** CPU seconds and peak memory of everything that the meter runs and that lives. Children of main threads only: all that peers make. */
  soFar(): SoFar {
    const sums = { atMs: performance.now(), cpuSeconds: 0, peakBytes: 0 };
    for (const pid of descendants(this.#child.pid)) {
      sums.cpuSeconds += cpuSecondsOf(pid);
      sums.peakBytes += peakBytesOf(pid);
    }
    return sums;
  }

  async #collect(): Promise<Ended> {
    const [, out, err, report] = this.#child.stdio as unknown as [null, Readable, Readable, Readable];
    const code = new Promise<number | null>((resolve) => {
      this.#child.once("error", () => resolve(null));
      this.#child.once("close", (exitCode) => resolve(exitCode));
    });
    const [stdout, stderr, usage] = await Promise.all([out, err, report].map(readText));
    const ended = { code: await code, stdout: stdout ?? "", stderr: stderr ?? "", usage: parseUsage(usage ?? "") };
    this.#over = true;
    alive.delete(this);
    return ended;
  }

  async #problem(what: string): Promise<Error> {
    const { stdout, stderr } = await this.stop(0);
    return new Error(`${this.argv.join(" ")}: ${what}; it said: ${excerpt(stderr === "" ? stdout : stderr)}`);
  }
}

async function readText(stream: Readable): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  try {
    for await (const chunk of stream) text += chunk as string;
  } catch {
    // A program that could not be started has no pipes; its exit code says so.
  }
  return text;
}

/** Resolves with undefined when the signal fires; the second signal ends the waiting. */
function aborted(signal: AbortSignal | undefined, over: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve(undefined);
    signal?.addEventListener("abort", () => resolve(undefined), { signal: over });
  });
}

function parseUsage(json: string): Usage | undefined {
  return json === "" ? undefined : (JSON.parse(json) as Usage);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function listProc(pid: number, directory: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/${directory}`);
  } catch {
    return [];
  }
}

/** Much more than all listening sockets of a machine; /proc/PID/net/tcp has them first, and then all that CRR left in TIME_WAIT. */
const LISTENERS_BYTES = 64 * 1024;

function readStart(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const buffer = Buffer.alloc(LISTENERS_BYTES);
    // One read gives a page at most.
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read)
      read = readSync(file, buffer, { offset: length });
    return buffer.toString("latin1", 0, length);
  } catch {
    return "";
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Whether a socket of the process' network namespace listens on the port: state 0A in /proc/PID/net/tcp; 07 for UDP, connected to nobody. */
function listensOn(pid: number | undefined, port: number): boolean {
  if (pid === undefined) return false;
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const waiting = { "net/tcp": "0A", "net/tcp6": "0A", "net/udp": "07", "net/udp6": "07" };
  return Object.entries(waiting).some(([file, listening]) =>
    readStart(`/proc/${pid}/${file}`)
      .split("\n")
      .some((line) => {
        const [, address = "", , state] = line.trim().split(/\s+/);
        return state === listening && address.endsWith(local);
      }),
  );
}

function descendants(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  const children = readProc(pid, `task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** Time on a CPU of all threads, by the scheduler's own account in ns: /proc/PID/stat rounds it to 10 ms. */
function cpuSecondsOf(pid: number): number {
  const threads = listProc(pid, "task");
  return (
    threads.reduce((sum, thread) => sum + Number(readProc(pid, `task/${thread}/schedstat`).split(" ")[0]), 0) / 1e9
  );
}

function peakBytesOf(pid: number): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readProc(pid, "status"))?.[1] ?? 0) * 1024;
}
