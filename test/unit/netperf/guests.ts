/** Clients at the door of an acceptor with a made-up engine. */
import type { Socket } from "node:net";
import { afterEach, expect } from "vitest";
import { type AcceptorOptions, NetperfAcceptor } from "../../../src/netperf/index.js";
import { MESSAGE_BYTES, decode, encode } from "../../../src/netperf/wire/fields.js";
import { type OmniRequest, TYPE, omniRequest } from "../../../src/netperf/wire/omni.js";
import { Admission } from "../../../src/run/admission.js";
import type { SessionSummary } from "../../../src/run/index.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon, faultOf } from "../../fakes/fake-addon.js";
import { socketPair } from "../../fakes/sockets.js";
import { until } from "../../support/until.js";
import { capture } from "./captures.js";

/** How a data connection ends. */
export const endOfTest = faultOf("traffic", "PEER_CLOSED");

export const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const TIMING = { idleMs: 500, messageMs: 150, passphraseMs: 300 };

export interface Guest {
  socket: Socket;
  addon: FakeAddon;
  acceptor: NetperfAcceptor;
  sessions: Admission;
  told: SessionSummary[];
  /** The next whole answer. */
  answer: () => Promise<Buffer>;
}

export async function enter(
  { maxSessions = 2, ...options }: Partial<AcceptorOptions> & { maxSessions?: number } = {},
  addon = new FakeAddon(),
): Promise<Guest> {
  const told: SessionSummary[] = [];
  const acceptor = new NetperfAcceptor(
    {
      ...{ maxDurationNs: 60e9, maxBandwidthBitsPerSecond: 0, maxMemoryBytes: 2 ** 31 },
      ...{ dataPort: 0, cpus: null, timing: TIMING },
      ...{ onSession: (summary: SessionSummary) => told.push(summary), ...options },
    },
    fakeEnvironment(addon),
  );
  cleanUps.push(() => acceptor.close());
  const sessions = new Admission({ maxSessions, maxSessionsPerClient: null, once: false });
  return { ...(await join(acceptor, sessions)), addon, acceptor, sessions, told };
}

export async function join(acceptor: NetperfAcceptor, sessions: Admission): Promise<Pick<Guest, "socket" | "answer">> {
  const [socket, far] = await socketPair();
  cleanUps.push(() => socket.destroy());
  far.pause();
  acceptor.accept(far, sessions);
  let received = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.on("error", () => undefined);
  const answer = async (): Promise<Buffer> => {
    await until(() => received.length >= MESSAGE_BYTES || socket.closed, "an answer came");
    const message = received.subarray(0, MESSAGE_BYTES);
    received = received.subarray(MESSAGE_BYTES);
    expect(message.length).toBe(MESSAGE_BYTES);
    return message;
  };
  return { socket, answer };
}

export function request(overrides: Partial<OmniRequest> = {}): Buffer {
  const [recorded] = capture("tcp_rr").fromClient;
  return encode(omniRequest, TYPE.omniRequest, -1, { ...decode(omniRequest, recorded!), ...overrides });
}
