import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CnbLoadError } from "../errors.js";

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));
const START_MS = 10_000;
const STOP_MS = 3000;

/**
 * `cnb-load server` as a process of its own on a loopback port that the kernel chooses, for whoever knows its token. It never outlives this process: the
 * server ends when its IPC channel closes, which the kernel sees to however this process ends.
 */
export class LoopbackServer implements AsyncDisposable {
  readonly port: number;
  readonly token: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number, token: string) {
    this.#child = child;
    this.port = port;
    this.token = token;
  }

  static async start(signal: AbortSignal): Promise<LoopbackServer> {
    const args = [MAIN, "server", "--host", "127.0.0.1", "--port", "0", "--token-file", "-", "--quiet"];
    const token = randomBytes(32).toString("hex");
    // A process group of its own: Ctrl-C in a terminal reaches this process alone, which still wants the server's report.
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit", "ipc"], detached: true });
    // Where the child has ended already, reading its port says so.
    child.stdin?.on("error", () => undefined).end(token);
    try {
      const port = await readPort(child, AbortSignal.any([signal, AbortSignal.timeout(START_MS)]));
      return new LoopbackServer(child, port, token);
    } catch (error) {
      await stop(child);
      signal.throwIfAborted();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#child);
  }
}

async function readPort(child: ChildProcess, signal: AbortSignal): Promise<number> {
  if (child.stdout === null) throw new CnbLoadError("ERR_LISTEN", "cannot start a server on loopback");
  const line = once(createInterface({ input: child.stdout }), "line", { signal });
  const exit = once(child, "exit", { signal });
  const [said] = (await Promise.race([line, exit]).catch((cause: unknown) => {
    throw new CnbLoadError("ERR_LISTEN", "cannot start a server on loopback", { cause });
  })) as unknown[];
  const port = typeof said === "string" ? /:(\d+)$/.exec(said)?.[1] : undefined;
  if (port === undefined) throw new CnbLoadError("ERR_LISTEN", "the server on loopback ended before it listened");
  return Number(port);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  child.kill("SIGTERM");
  await exited;
  clearTimeout(timer);
}
