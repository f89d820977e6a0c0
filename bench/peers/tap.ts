/** Stands between a client and a server's control port and notes when each message passed. */
import { type Server, type Socket, connect, createServer } from "node:net";
import { FrameDecoder, MAX_FRAME_TO_CLIENT, MAX_FRAME_TO_SERVER } from "../../dist/control/codec.js";

export class Tap implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Socket[];
  readonly #times: Map<string, number>;

  private constructor(server: Server, sockets: Socket[], times: Map<string, number>) {
    this.port = (server.address() as { port: number }).port;
    this.#server = server;
    this.#sockets = sockets;
    this.#times = times;
  }

  /** Data connections go past it: the server must listen on `host`, where the tap does. */
  static async open(host: string, serverPort: number): Promise<Tap> {
    const times = new Map<string, number>();
    const sockets: Socket[] = [];
    const server = createServer((client) => {
      const upstream = connect(serverPort, host);
      for (const socket of [client, upstream]) {
        sockets.push(socket.setNoDelay(true));
        socket.on("error", () => undefined);
      }
      relay(client, upstream, new FrameDecoder(MAX_FRAME_TO_SERVER, true), "client", times);
      relay(upstream, client, new FrameDecoder(MAX_FRAME_TO_CLIENT, false), "server", times);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, resolve);
    });
    return new Tap(server, sockets, times);
  }

  /** performance.now() of the first message of this type, such as "server ready" or "client go". Throws where there was none. */
  timeOf(message: string): number {
    const time = this.#times.get(message);
    if (time === undefined) throw new Error(`no message "${message}" passed`);
    return time;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function relay(from: Socket, to: Socket, decoder: FrameDecoder, side: string, times: Map<string, number>): void {
  from.on("data", (chunk) => {
    to.write(chunk);
    for (const message of decoder.push(chunk)) {
      const name = `${side} ${(message as { type: string }).type}`;
      if (!times.has(name)) times.set(name, performance.now());
    }
  });
  from.on("end", () => to.end());
}
