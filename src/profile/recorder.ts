/** perf over exactly one window of this host, from start to flame graph. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { CnbLoadError } from "../errors.js";
import { makeFolder } from "./folder.js";
import { addUp, flameSvg, type Folded, foldedText, Folder, samplesOf, speedscope } from "./flame.js";

/** What a profile left in its folder. */
export interface Profile {
  /** Stacks recorded, those of idle CPUs left out. */
  samples: number;
  /** Of each CPU. */
  samplesPerSecond: number;
  /** The flame graph. */
  svg: string;
  /** A line per stack with its count. */
  folded: string;
  /** For https://www.speedscope.app */
  speedscope: string;
}

export interface RecorderOptions {
  /** Made where it does not exist. */
  folder: string;
  /** How the files' names begin. */
  name: string;
  title: string;
  /** How long the window is meant to be. */
  windowNs: number;
}

/** Not a divisor of the timer's frequencies: samples shall not march in step with it. */
const HERTZ = 997;
/** Longer windows are sampled less often. */
const MOST_SAMPLES = 200_000;
/** For perf to be there, and to write what it has. */
const ANSWER_MS = 30_000;
const SAID_BYTES = 2000;

/** The events count a CPU's time rather than its cycles: virtual machines do not always have those. */
function recordCommand(hertz: number, file: string): string[] {
  const events = ["-F", String(hertz), "-g", "-e", "cpu-clock"];
  return ["perf", "record", "-q", "-a", ...events, "-D", "-1", "--control", "fd:3,4", "-o", file];
}

/** `start()` leaves perf waiting; `open()` and `close()` are the window's edges; `finish()` or disposal ends it. */
export class Recorder implements AsyncDisposable {
  readonly #options: RecorderOptions;
  readonly #hertz: number;
  readonly #data: string;
  readonly #perf: Program;
  #opened = false;

  private constructor(options: RecorderOptions, hertz: number, data: string) {
    this.#options = options;
    this.#hertz = hertz;
    this.#data = data;
    this.#perf = new Program(recordCommand(hertz, join(data, "perf.data")));
  }

  /** Throws CnbLoadError where there is no perf, or it may not look at this host. */
  static async start(options: RecorderOptions): Promise<Recorder> {
    const seconds = Math.max(1, options.windowNs / 1e9);
    const hertz = Math.max(1, Math.min(HERTZ, Math.floor(MOST_SAMPLES / seconds / availableParallelism())));
    const data = await mkdtemp(join(tmpdir(), "cnb-load-profile-"));
    const recorder = new Recorder(options, hertz, data);
    try {
      await makeFolder(options.folder);
      await recorder.#perf.command("ping");
      return recorder;
    } catch (error) {
      await recorder[Symbol.asyncDispose]();
      throw error instanceof CnbLoadError ? error : failure(String(error));
    }
  }

  /** Does not wait for perf's answer: the window shall not. */
  open(): void {
    this.#opened = true;
    this.#perf.command("enable").catch(() => undefined);
  }

  close(): void {
    this.#perf.command("disable").catch(() => undefined);
  }

  /** Undefined where the window was never opened. Throws CnbLoadError where perf or the folder failed. */
  async finish(): Promise<Profile | undefined> {
    try {
      if (!this.#opened) return undefined;
      await this.#perf.end();
      return await this.#write(await foldFile(join(this.#data, "perf.data")));
    } catch (error) {
      throw error instanceof CnbLoadError ? error : failure(String(error));
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async #write(folded: Folded): Promise<Profile> {
    const { folder, name, title } = this.#options;
    const path = (ending: string): string => join(folder, `${name}.${ending}`);
    const files = { svg: path("svg"), folded: path("folded.txt"), speedscope: path("speedscope.json") };
    await writeFile(files.svg, flameSvg(folded, title));
    await writeFile(files.folded, foldedText(folded));
    await writeFile(files.speedscope, speedscope(folded, title));
    return { samples: samplesOf(folded), samplesPerSecond: this.#hertz, ...files };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#perf.kill();
    await rm(this.#data, { recursive: true, force: true });
  }
}

async function foldFile(file: string): Promise<Folded> {
  const perf = new Program(["perf", "script", "-i", file, "-F", "comm,cpu,ip,sym", "--no-inline"]);
  const folder = new Folder();
  for await (const line of createInterface({ input: perf.stdout })) folder.add(line);
  folder.end();
  await perf.ended();
  return addUp(folder.byCpu.values());
}

const failure = (reason: string): CnbLoadError =>
  new CnbLoadError("ERR_PLATFORM", `profile: ${reason}`, { option: "profile" });

/** perf, record or script. */
class Program {
  readonly #child: ChildProcess;
  /** Rejects with CnbLoadError unless it ended with 0. */
  readonly #end: Promise<void>;
  readonly #answers: (() => void)[] = [];
  #said = "";

  constructor([file = "", ...args]: readonly string[]) {
    // A group of its own: Ctrl-C reaches this process, which ends the recording in order.
    const child = spawn(file, args, { detached: true, stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"] });
    this.#child = child;
    child.stderr?.on("data", (text: Buffer) => (this.#said = (this.#said + String(text)).slice(-SAID_BYTES)));
    child.stdio[4]?.on("data", (text: Buffer) => {
      for (const byte of text) if (byte === 0x0a) this.#answers.shift()?.();
    });
    for (const stream of child.stdio) stream?.on("error", () => undefined);
    this.#end = new Promise((resolve, reject) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        const missing = error.code === "ENOENT";
        reject(failure(missing ? "perf is not on PATH (Debian's package linux-perf)" : error.message));
      });
      child.on("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(failure(`${file} ${args[0] ?? ""}: ${this.#reason(signal ?? `exit code ${code}`)}`));
      });
    });
    this.#end.catch(() => undefined);
  }

  get stdout(): NodeJS.ReadableStream {
    return this.#child.stdout as NodeJS.ReadableStream;
  }

  #reason(end: string): string {
    const lines = this.#said.split("\n").map((line) => line.trim());
    return lines.filter((line) => line !== "").join(" ") || end;
  }

  /** Resolves when perf has obeyed. */
  async command(word: string): Promise<void> {
    const answered = new Promise<void>((resolve) => this.#answers.push(resolve));
    (this.#child.stdio[3] as Writable).write(`${word}\n`);
    await this.#within(Promise.race([answered, this.#end]));
  }

  /** Ends a recording in order. */
  async end(): Promise<void> {
    await this.command("stop");
    await this.ended();
  }

  ended(): Promise<void> {
    return this.#within(this.#end);
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end.catch(() => undefined);
  }

  async #within(promise: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(failure(`perf did not answer within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
    });
    await Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }
}
