import { once } from "node:events";
import { connect } from "node:net";
import { FrameDecoder, PREAMBLE, encodeFrame } from "../../src/control/codec.js";

export const HELLO = { type: "hello", protocol: 1, version: "0.1.0" };

/** A client that says whatever a test wants. */
export interface RawClient {
  say: (...messages: object[]) => void;
  write: (bytes: Buffer | string) => void;
  /** The next message that is not a ping, or "closed". */
  hear: () => Promise<unknown>;
  /** What `hear` yields until the connection is closed. */
  hearAll: () => Promise<unknown[]>;
  destroy: () => void;
}

export async function rawClient(
  port: number,
  { preamble = true, localAddress = "127.0.0.1" } = {},
): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  await once(socket, "connect");
  const heard: unknown[] = [];
  const decoder = new FrameDecoder(1e8, false);
  let wake = (): void => undefined;
  socket.on("data", (chunk) => {
    heard.push(...[...decoder.push(chunk)].filter((message) => (message as { type: string }).type !== "ping"));
    wake();
  });
  socket
    .on("error", () => undefined)
    .on("close", () => {
      heard.push("closed");
      wake();
    });
  if (preamble) socket.write(PREAMBLE);
  const hear = async (): Promise<unknown> => {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift();
  };
  const hearAll = async (): Promise<unknown[]> => {
    const all: unknown[] = [];
    for (let message = await hear(); message !== "closed"; message = await hear()) all.push(message);
    return all;
  };
  const say = (...messages: object[]): void => {
    socket.write(Buffer.concat(messages.map((message) => encodeFrame(message, 1e8))));
  };
  return {
    say,
    write: (bytes) => socket.write(bytes),
    hear,
    hearAll,
    destroy: () => socket.resetAndDestroy(),
  };
}
