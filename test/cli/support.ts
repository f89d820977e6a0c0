/** Spawns the built command line and collects what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");

export interface Finished {
  stdout: string;
  stderr: string;
  /** The exit code, or the signal that ended the process. */
  code: number | NodeJS.Signals | null;
}

export class Cli implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = "";
  #stderr = "";
  readonly #watchers = new Set<() => void>();

  constructor(args: readonly string[], options: { stdout?: number | "pipe" } = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", options.stdout ?? "pipe", "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take(() => (this.#stdout += text)));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take(() => (this.#stderr += text)));
    this.finished = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => {
        resolve({ stdout: this.#stdout, stderr: this.#stderr, code: code ?? signal });
        for (const watcher of this.#watchers) watcher();
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Resolves with the first match in what the process has said so far or will say; rejects when it ends without. */
  async saying(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        const { code, stdout, stderr } = await this.finished;
        const late = pattern.exec(this[stream]);
        if (late !== null) return late;
        throw new Error(`ended with ${String(code)} before saying ${String(pattern)}:\n${stdout}\n${stderr}`);
      }
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  /** Ends the process whatever it does; resolves when it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.finished;
  }

  #take(add: () => void): void {
    add();
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

export async function cli(...args: string[]): Promise<Finished> {
  await using process = new Cli(args);
  return await process.finished;
}

/** A `cnb-load server` on loopback with the port that it listens on. */
export async function startServer(...args: string[]): Promise<{ server: Cli; port: string }> {
  const server = new Cli(["server", "--host", "127.0.0.1", "--port", "0", ...args]);
  try {
    const [, port = ""] = await server.saying("stdout", /^cnb-load server listening on 127\.0\.0\.1:(\d+)\n/);
    return { server, port };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
