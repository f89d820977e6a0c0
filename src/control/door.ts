import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { CnbLoadError } from "../errors.js";
import type { TLSSocket } from "node:tls";
import { PREAMBLE } from "./codec.js";
import type { Secure } from "./tls-server.js";

/** What tells cnb-load's protocol from others: no other protocol on this port may start with these bytes. */
const MARK = PREAMBLE.subarray(0, 4);
/** Content type of a TLS record with a handshake message, RFC 8446, section 5.1. */
const TLS_HANDSHAKE = 22;
/** Record with the fatal alert protocol_version (70), which is what a TLS client understands best of all that is not TLS. */
const NO_TLS_HERE = Buffer.from([21, 3, 3, 0, 2, 2, 70]);

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
  onClient: (socket: Socket, secured: TLSSocket | undefined) => void;
  /** Takes a socket that speaks something else, likewise untouched. Without it such sockets are closed. */
  onOther?: ((socket: Socket) => void) | undefined;
  /** Makes TLS of a connection that asks for it; without it such are told that there is none. */
  secure?: Secure | undefined;
  /** Hears of connections that come to nothing for a reason, with the address that they came from. */
  onRefused?: ((address: string, reason: CnbLoadError) => void) | undefined;
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
      void welcome(socket, options, () => strangers.delete(socket));
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

/** Tells what a connection speaks, TLS or not, and hands it over, paused. */
async function welcome(raw: Socket, options: DoorOptions, onKnown: () => void): Promise<void> {
  // A broken connection closes, which is all that matters here.
  raw.on("error", () => undefined);
  const first = await recognize(raw, options.firstBytesMs);
  if (first === "tls") return welcomeTls(raw, options, onKnown);
  onKnown();
  if (first === "ours") options.onClient(raw, undefined);
  else if (first === "other" && options.onOther !== undefined) options.onOther(raw);
  else raw.destroy();
}

async function welcomeTls(raw: Socket, options: DoorOptions, onKnown: () => void): Promise<void> {
  const { secure, firstBytesMs, onClient, onRefused } = options;
  const address = raw.remoteAddress ?? "";
  try {
    if (secure === undefined) {
      raw.end(NO_TLS_HERE);
      throw new CnbLoadError("ERR_AUTH", "the client speaks TLS, and this server has no certificate (--tls-cert)");
    }
    const secured = await secure(raw);
    secured.on("error", () => undefined);
    const within = await recognize(secured, firstBytesMs);
    onKnown();
    if (within === "ours") onClient(secured, secured);
    else raw.destroy();
  } catch (error) {
    onKnown();
    setTimeout(() => raw.destroy(), firstBytesMs).unref();
    if (error instanceof CnbLoadError) onRefused?.(address, error);
  }
}

/** What the first bytes say; they are put back. A connection that closes first, or says too little for too long, speaks nothing. */
function recognize(socket: Socket, timeoutMs: number): Promise<"ours" | "tls" | "other" | "nothing"> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    const decide = (what: "ours" | "tls" | "other" | "nothing"): void => {
      clearTimeout(timer);
      socket.off("data", look).off("close", onClose).pause();
      resolve(what);
    };
    const onClose = (): void => {
      decide("nothing");
    };
    const look = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const ours = seen.subarray(0, MARK.length).equals(MARK.subarray(0, seen.length));
      if (ours && seen.length < MARK.length) return;
      decide(ours ? "ours" : seen[0] === TLS_HANDSHAKE ? "tls" : "other");
      socket.unshift(seen);
    };
    socket.on("close", onClose).on("data", look);
  });
}
