import { EXIT } from "./exit-codes.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** The first SIGINT or SIGTERM aborts the signal; a second one ends the process at once. */
export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onSignal = (): void => {
    if (this.#controller.signal.aborted) process.exit(EXIT.interrupted);
    this.#controller.abort();
  };

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get received(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Gives the signals back to whoever had them before. */
  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }
}
