/** The processes that measure in the lab's namespaces. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Result, RunOptions } from "../index.js";
import type { Order, Reply } from "./agent-messages.js";
import { LabError } from "./lab-error.js";
import type { Namespace } from "./namespaces.js";

const PROGRAM = fileURLToPath(new URL("agent.js", import.meta.url));

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  onOpened?: (() => void) | undefined;
}

type Request = Order extends infer One ? (One extends Order ? Omit<One, "id"> : never) : never;

export class Agent implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #asked = 0;
  #said = "";

  constructor(namespace: Namespace) {
    const [file, ...prefix] = namespace.prefix;
    const args = [...prefix, process.execPath, PROGRAM];
    this.#child = spawn(file, args, { detached: true, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.#child.on("message", (reply: Reply) => this.#settle(reply));
    this.#ended = new Promise((resolve) => {
      const end = (reason: string): void => {
        const error = new LabError(`the process in ${namespace.name} ended: ${this.#said.trim() || reason}`);
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("close", (code, signal) => end(signal ?? `exit code ${String(code)}`));
    });
  }

  /** Starts a server on an address of the namespace; resolves with its port. */
  async serve(host: string): Promise<number> {
    return (await this.#ask({ do: "serve", host }).reply) as number;
  }

  /** Aborting resolves with what was measured until then. `onOpened` is called just after the window opened. */
  async run(options: RunOptions, signal?: AbortSignal, onOpened?: () => void): Promise<Result> {
    const { id, reply } = this.#ask({ do: "run", options, tellOpened: onOpened !== undefined }, onOpened);
    const abort = (): void => void this.#ask({ do: "abort", run: id }).reply.catch(() => undefined);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      if (signal?.aborted === true) abort();
      return (await reply) as Result;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #ask(request: Request, onOpened?: () => void): { id: number; reply: Promise<unknown> } {
    const id = ++this.#asked;
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onOpened });
      this.#child.send({ ...request, id }, (error) => {
        if (error === null) return;
        this.#waiting.delete(id);
        reject(new LabError(`cannot reach the process that measures: ${error.message}`));
      });
    });
    return { id, reply };
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    if ("opened" in reply) {
      waiting?.onOpened?.();
      return;
    }
    this.#waiting.delete(reply.id);
    if ("error" in reply) waiting?.reject(new LabError(reply.error));
    else waiting?.resolve(reply.value);
  }
}
