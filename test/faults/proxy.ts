/** Stands between a client and a server on the control port, sees each of their messages, and can do something when one comes by. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { FrameDecoder } from "../../src/control/codec.js";

/** A point in a session: the first message of that type from that side has come by, and has not been passed on. */
export type Phase = `${"client" | "server"}:${string}`;

/** In the order in which they come in a test with warm-up. */
export const PHASES: readonly Phase[] = [
  ...(["client:hello", "server:hello", "client:setup", "server:prepared", "server:ready", "client:go"] as const),
  ...(["server:going", "client:open", "server:opened", "client:sample", "server:sampled", "client:close"] as const),
  ...(["server:closed", "client:finish", "server:report"] as const),
];

/** Whether both windows are open when that message comes by, or have been. */
export const isMeasuring = (phase: Phase): boolean => PHASES.indexOf(phase) >= PHASES.indexOf("client:sample");

type Act = (pair: { client: Socket; server: Socket }) => void;

export class Proxy implements AsyncDisposable {
  readonly port: number;
  /** Resolves when the phase has been reached. */
  readonly reached: Promise<void>;
  readonly #server;
  readonly #sockets: Set<Socket>;

  private constructor(server: ReturnType<typeof createServer>, sockets: Set<Socket>, reached: Promise<void>) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#sockets = sockets;
    this.reached = reached;
  }

  /** From the phase on nothing is passed on any more, unless `act` sees to it. */
  static async start(serverPort: number, phase: Phase, act: Act = () => undefined): Promise<Proxy> {
    const sockets = new Set<Socket>();
    let tell!: () => void;
    const reached = new Promise<void>((resolve) => (tell = resolve));
    const server = createServer((client) => {
      const upstream = connect(serverPort, "127.0.0.1");
      const pair = { client, server: upstream };
      let over = false;
      const watch = (from: Socket, to: Socket, side: "client" | "server"): void => {
        sockets.add(from);
        const decoder = new FrameDecoder(1e8, side === "client");
        from.on("error", () => undefined).on("close", () => !over && to.destroy());
        from.on("data", (chunk: Buffer) => {
          if (over) return;
          const messages = [...decoder.push(chunk)] as { type: string }[];
          if (!messages.some(({ type }) => `${side}:${type}` === phase)) return void to.write(chunk);
          over = true;
          act(pair);
          tell();
        });
      };
      watch(client, upstream, "client");
      watch(upstream, client, "server");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Proxy(server, sockets, reached);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
