/**
 * Work of many sessions that each keeps this thread busy for milliseconds (starting threads, reading dozens of files of /proc), one piece
 * per turn of the event loop: whoever comes at once with two hundred others is served later, and nobody misses a ping meanwhile.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** Resolves when it is the caller's turn. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push(resolve) === 1) this.#schedule();
    });
  }

  #schedule(): void {
    setImmediate(() => {
      this.#waiting[0]?.();
      this.#waiting.shift();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
