import type { ResolvedSpec } from "../options/spec.js";
import type { Profile, Recorder } from "../profile/recorder.js";

export { makeFolder } from "../profile/folder.js";

/** Waits to record one end's window. Throws CnbLoadError where perf is not there or may not. */
export async function startRecorder(
  folder: string,
  { test, flows, durationNs }: ResolvedSpec,
  end: "client" | "server",
  at: Date,
): Promise<Recorder> {
  // Few runs need it.
  const { Recorder } = await import("../profile/recorder.js");
  const name = `${test}-${flows}-${end}-${at.toISOString().replace(/[-:.]/g, "")}`;
  const title = `${test}, ${flows} ${flows === 1 ? "flow" : "flows"}, the ${end}'s host, ${at.toISOString()}`;
  return Recorder.start({ folder, name, title, windowNs: durationNs });
}

/** Throws CnbLoadError where perf is not there or may not, rather than in the middle of a session. */
export async function tryRecorder(folder: string): Promise<void> {
  const { Recorder } = await import("../profile/recorder.js");
  await using _ = await Recorder.start({ folder, name: "", title: "", windowNs: 0 });
}

/** The server's: perf starts beside the flows, and the window opens after both are there. */
export class Profiling {
  readonly #start: () => Promise<Recorder>;
  #starting: Promise<Recorder> | undefined;
  #started: Recorder | undefined;

  constructor(folder: string, spec: ResolvedSpec) {
    this.#start = () => startRecorder(folder, spec, "server", new Date());
  }

  async ready(): Promise<void> {
    this.#starting ??= this.#start();
    this.#started = await this.#starting;
  }

  open(): void {
    this.#started?.open();
  }

  close(): void {
    this.#started?.close();
  }

  async finish(): Promise<Profile | undefined> {
    return (await this.#starting)?.finish();
  }
}
