import type { Socket } from "node:net";
import { MESSAGE_BYTES } from "./fields.js";

/** Messages that a peer may send ahead; an honest one waits for answers, but for a passphrase. */
const MAX_QUEUED = 8;

export interface StreamOptions {
  /** From the first byte of a message to its last. */
  messageMs: number;
}

/** A peer that sends too much, too slowly or nothing in time. */
export class ControlFault extends Error {
  override readonly name = "ControlFault";
}

/**
 * netperf's control connection as whole messages. Whatever ends it (the peer closed, broke it, was too slow, sent too much) closes the
 * socket, aborts `gone`, and is `null` to whoever waits for a message.
 */
export class ControlStream {
  readonly #socket: Socket;
  readonly #options: StreamOptions;
  readonly #queue: Buffer[] = [];
  readonly #gone = new AbortController();
  #partial: Buffer = Buffer.alloc(0);
  #deadline: NodeJS.Timeout | undefined;
  #waiter: ((message: Buffer | null) => void) | undefined;

  constructor(socket: Socket, options: StreamOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    for (const event of ["end", "close", "error"] as const) {
      socket.on(event, () => {
        this.#over(new ControlFault("the peer closed the control connection"));
      });
    }
    socket.resume();
  }

  /** Aborted when the connection has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Bytes of a message that never became whole. */
  get partialBytes(): number {
    return this.#partial.length;
  }

  send(message: Buffer): void {
    if (!this.#gone.signal.aborted) this.#socket.write(message);
  }

  /** The next message; `null` when none comes in time or ever. One is awaited at a time. */
  next(timeoutMs: number): Promise<Buffer | null> {
    const queued = this.#queue.shift();
    if (queued !== undefined) return Promise.resolve(queued);
    if (this.#gone.signal.aborted) return Promise.resolve(null);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#hand(null);
      }, timeoutMs);
      this.#waiter = (message) => {
        clearTimeout(timer);
        resolve(message);
      };
    });
  }

  /** Says goodbye; the socket goes when the peer says the same, or after `lingerMs`. */
  end(lingerMs: number): void {
    const socket = this.#socket;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("close", () => {
      clearTimeout(timer);
    });
    socket.end();
  }

  destroy(): void {
    this.#over(new ControlFault("closed"));
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#gone.signal.aborted) return;
    clearTimeout(this.#deadline);
    let bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    const wasWhole = this.#partial.length === 0 || bytes.length >= MESSAGE_BYTES;
    for (; bytes.length >= MESSAGE_BYTES; bytes = bytes.subarray(MESSAGE_BYTES)) {
      this.#hand(bytes.subarray(0, MESSAGE_BYTES));
      if (this.#queue.length > MAX_QUEUED) {
        this.#fail("sends more than it is asked for");
        return;
      }
    }
    this.#partial = bytes;
    if (bytes.length > 0) this.#watch(wasWhole);
  }

  #partialSince = 0;

  /** A message that has begun must end; bytes in between do not buy more time. */
  #watch(begun: boolean): void {
    if (begun) this.#partialSince = performance.now();
    const left = this.#partialSince + this.#options.messageMs - performance.now();
    this.#deadline = setTimeout(
      () => {
        this.#fail("takes too long over a message");
      },
      Math.max(0, left),
    );
  }

  #hand(message: Buffer | null): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter !== undefined) waiter(message);
    else if (message !== null) this.#queue.push(message);
  }

  #fail(what: string): void {
    this.#over(new ControlFault(`the peer ${what}`));
    this.#socket.destroy();
  }

  #over(reason: ControlFault): void {
    if (this.#gone.signal.aborted) return;
    clearTimeout(this.#deadline);
    this.#gone.abort(reason);
    this.#hand(null);
  }
}
