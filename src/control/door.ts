import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { CnbLoadError } from "../errors.js";
import { PREAMBLE } from "./codec.js";

/** What tells cnb-load's protocol from others: no other protocol on this port may start with these bytes. */
const MARK = PREAMBLE.subarray(0, 4);

export interface DoorOptions {
  /** "" = every address. */
  host: string;
  /** 0 = ephemeral. */
  port: number;
  /** Connections at a time, sessions included. For one more the oldest that has said nothing yet is closed, or there is no room. */
  maxConnections: number;
  /** For the first bytes of a connection. */
  firstBytesMs: number;
  /** Takes a socket that speaks cnb-load's protocol: paused, and nothing of it has been consumed. */
  onClient: (socket: Socket) => void;
  /** Takes a socket that speaks something else, likewise untouched. Without it such sockets are closed. */
  onOther?: ((socket: Socket) => void) | undefined;
}

/** The server's listening port: tells protocols apart by their first bytes and hands each socket to whom it belongs. */
export class Door {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  /** Those of which it is not known yet what they speak. */
  readonly #strangers: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, strangers: Set<Socket>) {
    const { address, port } = server.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.#server = server;
    this.#sockets = sockets;
    this.#strangers = strangers;
  }

  /** Throws ERR_LISTEN. */
  static async open(options: DoorOptions): Promise<Door> {
    const sockets = new Set<Socket>();
    const strangers = new Set<Socket>();
    const server = createServer((socket) => {
      if (sockets.size >= options.maxConnections) {
        const [oldest = socket] = strangers;
        for (const set of [sockets, strangers]) set.delete(oldest);
        oldest.destroy();
        if (oldest === socket) return;
      }
      sockets.add(socket);
      strangers.add(socket);
      socket.once("close", () => sockets.delete(socket));
      welcome(socket, options, () => strangers.delete(socket));
    });
    const { host, port } = options;
    server.listen(host === "" ? { port } : { host, port });
    try {
      await once(server, "listening");
    } catch (error) {
      const { code, errno, syscall } = error as NodeJS.ErrnoException;
      const where = `${host === "" ? "every address" : host}, port ${port}`;
      const hint = code === "EADDRINUSE" ? " (is another server running?)" : "";
      throw new CnbLoadError("ERR_LISTEN", `cannot listen on ${where}: ${code ?? String(error)}${hint}`, {
        cause: error,
        syscall,
        errno: typeof errno === "number" ? Math.abs(errno) : undefined,
        address: host === "" ? undefined : host,
      });
    }
    // Accepting may fail for want of descriptors; the next connection may fare better.
    server.on("error", () => undefined);
    return new Door(server, sockets, strangers);
  }

  /** Lets nobody in any more. */
  stopListening(): void {
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
  }

  /** Closes every connection that is left, after `graceMs` for those that are just saying goodbye. Resolves when none is left. */
  async close(graceMs: number): Promise<void> {
    this.stopListening();
    const closed = [...this.#sockets].map((socket) => once(socket, "close").catch(() => undefined));
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(timer);
  }
}

/** Waits for as many bytes as tell the protocols apart, puts them back and hands the socket over, paused. */
function welcome(socket: Socket, options: DoorOptions, onKnown: () => void): void {
  let seen = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), options.firstBytesMs);
  const decide = (): void => {
    clearTimeout(timer);
    onKnown();
  };
  const look = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    const ours = seen.subarray(0, MARK.length).equals(MARK.subarray(0, seen.length));
    if (ours && seen.length < MARK.length) return;
    socket.off("data", look).off("close", decide).pause();
    decide();
    socket.unshift(seen);
    if (ours) options.onClient(socket);
    else if (options.onOther !== undefined) options.onOther(socket);
    else socket.destroy();
  };
  // A broken connection closes, which is all that matters here.
  socket.on("error", () => undefined);
  socket.on("close", decide).on("data", look);
}
