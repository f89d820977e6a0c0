/** Spawns a program and collects what it says. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");

export interface Finished {
  stdout: string;
  stderr: string;
  /** The exit code, or the signal that ended the process. */
  code: number | NodeJS.Signals | null;
}

export interface ProgramOptions {
  stdin?: "ignore" | "pipe";
  stdout?: number | "pipe";
  /** A command that executes the one that follows it in its own place, such as ["ip", "netns", "exec", "name"]. */
  prefix?: readonly string[];
}

export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #stdout = "";
  #stderr = "";
  readonly #watchers = new Set<() => void>();

  constructor(command: readonly string[], { stdin = "ignore", stdout = "pipe", prefix = [] }: ProgramOptions = {}) {
    const [file = "", ...args] = [...prefix, ...command];
    this.child = spawn(file, args, { stdio: [stdin, stdout, "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#take(() => (this.#stdout += text)));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#take(() => (this.#stderr += text)));
    this.finished = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => {
        resolve({ stdout: this.#stdout, stderr: this.#stderr, code: code ?? signal });
        for (const watcher of this.#watchers) watcher();
      });
    });
    // Whoever awaits it learns of it; nobody else needs to.
    this.finished.catch(() => undefined);
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

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with the first match in what the process has said so far or will say; rejects when it ends without. */
  async saying(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (!this.running) {
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
    if (this.running) this.child.kill("SIGKILL");
    await this.finished;
  }

  #take(add: () => void): void {
    add();
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

/** The built command line. */
export class Cli extends Program {
  constructor(args: readonly string[], options: ProgramOptions = {}) {
    super([process.execPath, MAIN, ...args], options);
  }
}
