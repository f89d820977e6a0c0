/** A server that says what a stock one once said, and a client of ours that talks to it with a made-up engine. */
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { netperf } from "../../../src/netperf/index.js";
import { MESSAGE_BYTES, messageType } from "../../../src/netperf/wire/fields.js";
import { TYPE } from "../../../src/netperf/wire/omni.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon, faultOf } from "../../fakes/fake-addon.js";
import type { Capture } from "./captures.js";

export interface Ran {
  code: number;
  out: string;
  err: string;
  /** All that the client sent. */
  messages: Buffer[];
  addon: FakeAddon;
}

const LIMIT_MS = 20;

/** Runs a command line against what a capture's server answered: request by request, and again from the start where the client asks for more. */
export async function runAgainst(capture: Capture, args: readonly string[]): Promise<Ran> {
  const messages: Buffer[] = [];
  const server = createServer((socket) => {
    play(capture, socket, messages);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const addon = new FakeAddon();
  endOnItsOwn(
    addon,
    args.some((arg, index) => args[index - 1] === "-l" && arg.startsWith("-")),
  );
  let out = "";
  let err = "";
  try {
    const code = await netperf(
      ["-H", "127.0.0.1", "-p", String(portOf(server)), ...args],
      { out: (text) => (out += text), err: (text) => (err += text) },
      { interrupt: new AbortController().signal, environment: fakeEnvironment(addon) },
    );
    return { code, out, err, messages, addon };
  } finally {
    server.close();
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function play({ fromClient, fromServer }: Capture, socket: Socket, messages: Buffer[]): void {
  const asking = fromClient.filter((message) => messageType.read(message) !== TYPE.passphrase).length;
  const perRequest = fromServer.length / Math.max(1, asking);
  let received = Buffer.alloc(0);
  let answered = 0;
  socket.on("error", () => undefined);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (; received.length >= MESSAGE_BYTES; received = received.subarray(MESSAGE_BYTES)) {
      const message = received.subarray(0, MESSAGE_BYTES);
      messages.push(message);
      if (messageType.read(message) === TYPE.passphrase) continue;
      if (perRequest === 0) socket.end();
      const from = answered++ % Math.max(1, asking);
      for (const answer of fromServer.slice(from * perRequest, (from + 1) * perRequest)) socket.write(answer);
    }
  });
}

/** Data connections end as they do with a real peer: by their count, or when the server has seen that the client is done. */
function endOnItsOwn(addon: FakeAddon, counted: boolean): void {
  addon.onConstruct = () => {
    setImmediate(() => {
      const session = addon.newest("client");
      if (session === undefined) throw new Error("no session of a client");
      const close = session.closeWindow.bind(session);
      session.closeWindow = () => {
        close();
        session.fail(faultOf("traffic", "PEER_CLOSED"));
      };
      if (!counted) return;
      const end = (): void => {
        if (session.plan.loop === "receive") session.fail(faultOf("traffic", "PEER_CLOSED"));
        else session.stop();
      };
      setTimeout(end, LIMIT_MS);
    });
  };
}
