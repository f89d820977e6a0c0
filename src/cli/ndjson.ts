/** Events of a test on stdout, a JSON value per line, for programs that follow it while it goes on. */
import { CnbLoadError } from "../errors.js";
import type { ResolvedSpec } from "../options/spec.js";
import type { Interval, Probe, Result } from "../result/model.js";
import { errorLine, UsageError } from "./exit-codes.js";
import type { JsonTarget } from "./json-option.js";
import { print } from "./output.js";
import type { Progress } from "./progress.js";

/** Whether events were asked for; throws UsageError where stdout is promised to a document already. */
export function wantsEvents(given: unknown, json: JsonTarget): boolean {
  if (given !== true) return false;
  if (json.to === "stdout") throw new UsageError("--ndjson: stdout cannot hold --json as well; give --json a file");
  return true;
}

/** "start", a "probe" for each, an "interval" for each, a "run" for each of several, then "result", "error" or both. Lines come in order. */
export class EventLines implements Progress {
  #written: Promise<void> = Promise.resolve();

  start(spec: ResolvedSpec): void {
    this.#write("start", { spec });
  }

  interval(interval: Interval): void {
    this.#write("interval", { interval });
  }

  probe(probe: Probe): void {
    this.#write("probe", { probe });
  }

  run(result: Result, run: number): void {
    this.#write("run", { run, result });
  }

  result(result: Result): void {
    this.#write("result", { result });
  }

  error(error: unknown): void {
    const code = error instanceof CnbLoadError ? { code: error.code } : {};
    this.#write("error", { ...code, message: errorLine(error) });
  }

  end(): void {
    // Nothing of a terminal's to put back.
  }

  /** Resolves when every line has left the process; rejects with OutputError where one could not. */
  flush(): Promise<void> {
    return this.#written;
  }

  #write(event: string, fields: object): void {
    this.#written = this.#written.then(() => print(`${JSON.stringify({ event, ...fields })}\n`));
    // Told by flush().
    this.#written.catch(() => undefined);
  }
}
