import type { Socket } from "node:net";
import { CnbLoadError } from "../errors.js";
import { FrameDecoder, encodeFrame } from "./codec.js";
import { ShapeError } from "./shape.js";
import type { ControlTiming } from "./timing.js";

/** Messages that may wait to be asked for; an honest peer never has more than two on the way. */
const MAX_QUEUED = 16;
/** Bytes that the peer may leave unread before it is taken for stuck. Only a report is larger, and it comes last. */
const MAX_UNREAD_BYTES = 1024 * 1024;

interface Typed {
  type: string;
}

export interface ChannelOptions<In extends Typed, Out extends Typed> {
  /** How the peer is called in messages. */
  peer: "client" | "server";
  /** Throws ShapeError. */
  decode: (value: unknown) => In;
  maxInBytes: number;
  maxOutBytes: number;
  timing: ControlTiming;
  /** Whether the peer's stream starts with the preamble. */
  preamble: boolean;
  /** Sees a message before it is queued; an error that it returns ends the channel. */
  intercept?: (message: In) => CnbLoadError | undefined;
  /** Makes the last message to a peer that broke the protocol or missed a deadline. */
  farewell?: (reason: CnbLoadError) => Out;
}

interface Waiter<In> {
  types: readonly string[];
  resolve: (message: In) => void;
  reject: (reason: unknown) => void;
}

/**
 * Typed messages over one control connection: framing, heartbeat, a deadline for every message awaited. It ends exactly once, for
 * one reason, and then holds no timers; the socket follows at once, or after what was still to be sent.
 */
export class Channel<In extends Typed, Out extends Typed> {
  /** Resolves with the reason once the channel has ended; never rejects. */
  readonly ended: Promise<CnbLoadError>;
  readonly #socket: Socket;
  readonly #address: string | undefined;
  readonly #options: ChannelOptions<In, Out>;
  readonly #decoder: FrameDecoder;
  readonly #queue: In[] = [];
  readonly #heartbeat: NodeJS.Timeout;
  readonly #silence: NodeJS.Timeout;
  #waiter: Waiter<In> | undefined;
  #reason: CnbLoadError | undefined;
  #tellEnded!: (reason: CnbLoadError) => void;
  #heard = false;
  #listensSince = performance.now();

  constructor(socket: Socket, options: ChannelOptions<In, Out>) {
    this.#socket = socket;
    this.#address = socket.remoteAddress;
    this.#options = options;
    this.#decoder = new FrameDecoder(options.maxInBytes, options.preamble);
    this.ended = new Promise((resolve) => (this.#tellEnded = resolve));
    this.#heartbeat = setInterval(this.#ping.bind(this), options.timing.pingMs);
    this.#silence = setTimeout(this.#suspect.bind(this), options.timing.silenceMs);
    socket.setNoDelay(true);
    socket.on("data", this.#receive.bind(this));
    socket.on("error", (error) => void this.fail(this.#lost("failed", error)));
    socket.on("close", () => void this.fail(this.#lost("was closed by the peer")));
    // A server gets its sockets paused.
    socket.resume();
  }

  /** Queues a message; nothing happens once the channel has ended. */
  send(message: Out): void {
    if (this.#reason !== undefined) return;
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) {
      this.fail(this.#error("ERR_PEER_LOST", "does not read what it is sent"));
      return;
    }
    this.#socket.write(encodeFrame(message, this.#options.maxOutBytes));
  }

  /**
   * The next message, which must be of one of these types and come within `timeoutMs`. Anything else ends the channel. `signal` gives
   * up waiting with the signal's reason and leaves the channel as it is. One message is awaited at a time.
   */
  async next<T extends In["type"]>(
    types: readonly T[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Extract<In, { type: T }>> {
    signal?.throwIfAborted();
    const queued = this.#queue.shift();
    if (queued === undefined) {
      if (this.#reason !== undefined) throw this.#reason;
      return (await this.#wait(types, timeoutMs, signal)) as Extract<In, { type: T }>;
    }
    if (types.includes(queued.type as T)) return queued as Extract<In, { type: T }>;
    throw this.#blame(this.#unexpected(queued, types));
  }

  /** Ends the channel at once; returns the reason, which is the first one given. */
  fail(reason: CnbLoadError): CnbLoadError {
    if (this.#reason === undefined) this.#socket.destroy();
    return this.#settle(reason);
  }

  /**
   * Ends the channel after what has been sent. The socket lives on until the peer has closed its side or `lingerMs` have passed:
   * destroying it at once could make the kernel reset the connection, and the last message be lost.
   */
  end(reason: CnbLoadError, lingerMs: number = this.#options.timing.lingerMs): CnbLoadError {
    if (this.#reason !== undefined) return this.#reason;
    const socket = this.#socket;
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once("end", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(timer);
    });
    socket.end();
    return this.#settle(reason);
  }

  #settle(reason: CnbLoadError): CnbLoadError {
    if (this.#reason === undefined) {
      this.#reason = reason;
      clearInterval(this.#heartbeat);
      clearTimeout(this.#silence);
      this.#waiter?.reject(reason);
      this.#tellEnded(reason);
    }
    return this.#reason;
  }

  /** Ends the channel because of what the peer did, and tells it where it can be told. */
  #blame(reason: CnbLoadError): CnbLoadError {
    if (this.#options.farewell === undefined) return this.fail(reason);
    this.send(this.#options.farewell(reason));
    return this.end(reason);
  }

  #wait(types: readonly string[], timeoutMs: number, signal: AbortSignal | undefined): Promise<In> {
    if (this.#waiter !== undefined) throw new Error("one message is awaited at a time");
    const awaited = new Promise<In>((resolve, reject) => (this.#waiter = { types, resolve, reject }));
    const expire = (): void => {
      const seconds = Number((timeoutMs / 1000).toFixed(2));
      // As with silence: what has arrived while this thread was held up counts.
      setImmediate(() => {
        if (this.#waiter !== waiter) return;
        this.#blame(this.#error("ERR_TIMEOUT", `did not send ${types.join(" or ")} within ${seconds} s`));
      });
    };
    const waiter = this.#waiter;
    const timer = setTimeout(expire, timeoutMs);
    const giveUp = (): void => {
      this.#waiter?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", giveUp);
    return awaited.finally(() => {
      this.#waiter = undefined;
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    });
  }

  #over(): boolean {
    return this.#reason !== undefined;
  }

  #receive(chunk: Buffer): void {
    // After the end the rest is read and dropped, so that closing does not reset the connection.
    if (this.#over()) return;
    this.#listen();
    try {
      for (const value of this.#decoder.push(chunk)) {
        // The reason may have come with the message before.
        if (!this.#over()) this.#dispatch(this.#options.decode(value));
      }
    } catch (error) {
      this.#blame(this.#malformed(error));
    }
  }

  #dispatch(message: In): void {
    const interruption = this.#options.intercept?.(message);
    if (interruption !== undefined) {
      this.fail(interruption);
    } else if (message.type === "ping") {
      return;
    } else if (this.#waiter !== undefined) {
      const waiter = this.#waiter;
      this.#waiter = undefined;
      if (waiter.types.includes(message.type)) waiter.resolve(message);
      else waiter.reject(this.#blame(this.#unexpected(message, waiter.types)));
    } else if (this.#queue.push(message) > MAX_QUEUED) {
      this.#blame(this.#error("ERR_PROTOCOL", "sends more than it is asked for"));
    }
  }

  #ping(): void {
    // While something is still unsent the peer hears from us anyway.
    if (this.#socket.writableLength === 0) this.send({ type: "ping" } as Out);
  }

  #listen(): void {
    this.#heard = true;
    this.#listensSince = performance.now();
    this.#silence.refresh();
  }

  #suspect(): void {
    const { silenceMs } = this.#options.timing;
    // What held up this thread so long, a machine that stood still for one, may have held up the peer, too.
    if (performance.now() - this.#listensSince > silenceMs * 1.5) {
      this.#listen();
      return;
    }
    this.#heard = false;
    // When this thread itself was held up, timers fire before the sockets are read: let them be read first.
    setImmediate(() => {
      if (!this.#heard && this.#reason === undefined)
        this.fail(this.#lost(`has been silent for ${silenceMs / 1000} s`));
    });
  }

  #error(code: "ERR_PROTOCOL" | "ERR_PEER_LOST" | "ERR_TIMEOUT", what: string, cause?: unknown): CnbLoadError {
    return new CnbLoadError(code, `the ${this.#options.peer} ${what}`, { address: this.#address, cause });
  }

  #lost(what: string, cause?: NodeJS.ErrnoException): CnbLoadError {
    const detail = cause === undefined ? "" : ` (${cause.code ?? cause.message})`;
    return new CnbLoadError("ERR_PEER_LOST", `the control connection to the ${this.#options.peer} ${what}${detail}`, {
      address: this.#address,
      cause,
      syscall: cause?.syscall,
      errno: cause?.errno === undefined ? undefined : Math.abs(cause.errno),
    });
  }

  #unexpected(message: In, types: readonly string[]): CnbLoadError {
    return this.#error("ERR_PROTOCOL", `sent ${message.type} where ${types.join(" or ")} was due`);
  }

  #malformed(error: unknown): CnbLoadError {
    if (error instanceof CnbLoadError) return error;
    const detail = error instanceof ShapeError ? error.message : "something that cannot be read";
    return this.#error("ERR_PROTOCOL", `sent a bad message: ${detail}`, error);
  }
}
