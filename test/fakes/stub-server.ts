import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { FrameDecoder, encodeFrame } from "../../src/control/codec.js";
import { TEST_TIMING } from "./environment.js";

export type Answers = Partial<Record<string, object[]>>;

/** What an honest server answers, but for `finish`. */
export const HONEST: Answers = {
  hello: [{ type: "hello", protocol: 1, version: "0.1.0" }],
  setup: [
    { type: "prepared", dataPort: 40_000, cookie: "00".repeat(16), engine: "block", workers: 1, cpus: [0] },
    { type: "ready" },
  ],
  go: [{ type: "going" }],
  open: [{ type: "opened" }],
  sample: [{ type: "sampled", windowNs: 1, bytesSent: 0, bytesReceived: 0 }],
  close: [{ type: "closed" }],
};

export interface StubServer extends AsyncDisposable {
  port: number;
  /** Types of what clients have said, pings left out. */
  heard: string[];
  stopPings: () => void;
}

/** A server that answers by a table, pings, and does nothing else. `onConnection` may do anything to a socket first. */
export async function stubServer(
  answers: Answers,
  onConnection: (socket: Socket) => unknown = () => undefined,
): Promise<StubServer> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const decoder = new FrameDecoder(1e6, true);
    const say = (message: object) => socket.write(encodeFrame(message, 1e8));
    const pings = setInterval(say, TEST_TIMING.pingMs, { type: "ping" });
    timers.add(pings);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(pings);
    });
    socket.on("data", (chunk: Buffer) => {
      for (const message of decoder.push(chunk)) {
        const { type } = message as { type: string };
        if (type !== "ping") heard.push(type);
        answers[type]?.forEach(say);
      }
    });
    onConnection(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    stopPings() {
      for (const timer of timers) clearInterval(timer);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
