import type { Socket } from "node:net";
import { CnbLoadError } from "../errors.js";
import type { EndReport } from "../result/raw.js";
import { plainAddress } from "./addresses.js";
import { challenge, expectToken } from "./authenticate.js";
import { Channel } from "./channel.js";
import { MAX_FRAME_TO_CLIENT, MAX_FRAME_TO_SERVER } from "./codec.js";
import { type Introduction, checkHello, isSameHost, makeHello } from "./hello.js";
import { type ClientMessage, type ServerMessage, decodeClientMessage } from "./messages.js";
import type { ControlTiming } from "./timing.js";
import { type Token, bindingOf, makeNonce } from "./token.js";
import type { Turns } from "./turns.js";
import { toWire } from "./wire-error.js";

type ServerChannel = Channel<ClientMessage, ServerMessage>;
type Fields<T extends ServerMessage["type"]> = Omit<Extract<ServerMessage, { type: T }>, "type">;

/** What a client asked for. `spec` and `sources` are the client's word: check them. */
export interface SessionRequest {
  spec: unknown;
  sources: string[];
  /** Numeric addresses of the control connection; IPv4 is never mapped. */
  remoteAddress: string;
  localAddress: string;
  /** Whether the client runs on this machine. */
  sameHost: boolean;
}

/** The server's half of a test, as the session drives it. */
export interface ServerHalf {
  readonly prepared: Fields<"prepared">;
  /** Aborted with a CnbLoadError when the half can go on no longer. */
  readonly halted: AbortSignal;
  /** Lengths of the phases that the client times, and how many samples it may ask for. */
  readonly setupMs: number;
  readonly warmupMs: number;
  readonly durationMs: number;
  readonly maxSamples: number;
  /** Resolves when every flow is up. */
  ready(): Promise<void>;
  go(): void;
  openWindow(): void;
  sample(): Fields<"sampled">;
  closeWindow(): void;
  /** Before `finish`, where the client wanted no more of the test. */
  markAborted(): void;
  /** Stops, joins and reports. Idempotent. */
  finish(): Promise<EndReport>;
}

/** Makes halves; throws CnbLoadError to refuse. */
export type OpenHalf = (request: SessionRequest) => ServerHalf;

export interface SessionOptions {
  self: Introduction;
  timing: ControlTiming;
  /** Turns away before anything is asked; undefined to go on. */
  refusal: CnbLoadError | undefined;
  /** What clients must know, undefined = nothing. */
  token?: Token | undefined;
  open: OpenHalf;
  /** Aborted with a CnbLoadError when the server ends. */
  closing: AbortSignal;
  /** Of all sessions of the server. */
  turns: Turns;
}

/**
 * Serves one client from its first frame to its last. Resolves when the half has ended and nothing of the session is left but a socket
 * that may linger for the client to read from; with the error that ended it, or undefined where all went well.
 */
export async function serveSession(socket: Socket, options: SessionOptions): Promise<CnbLoadError | undefined> {
  const { timing } = options;
  let half: ServerHalf | undefined;
  const channel: ServerChannel = new Channel(socket, {
    peer: "client",
    decode: decodeClientMessage,
    maxInBytes: MAX_FRAME_TO_SERVER,
    maxOutBytes: MAX_FRAME_TO_CLIENT,
    timing,
    preamble: true,
    farewell: (reason) => ({ type: half === undefined ? "refuse" : "fail", ...toWire(reason) }),
  });
  let reason: CnbLoadError | undefined;
  try {
    half = await openHalf(channel, socket, options);
    await conduct(channel, half, options);
  } catch (error) {
    reason = asError(error);
  }
  try {
    const end = await half?.finish();
    if (reason !== undefined) say(channel, reason, end);
  } catch (error) {
    reason ??= asError(error);
  }
  channel.end(reason ?? new CnbLoadError("ERR_CLOSED", "the session is over"));
  return reason;
}

function say(channel: ServerChannel, reason: CnbLoadError, end: EndReport | undefined): void {
  if (end === undefined) channel.send({ type: "refuse", ...toWire(reason) });
  else sendWithReport(channel, { type: "fail", ...toWire(reason) }, end);
}

async function openHalf(channel: ServerChannel, socket: Socket, options: SessionOptions): Promise<ServerHalf> {
  const { self, timing, refusal, token, open, closing } = options;
  const remoteAddress = plainAddress(socket.remoteAddress ?? "");
  const localAddress = plainAddress(socket.localAddress ?? "");
  const hello = await channel.next(["hello"], timing.helloMs, closing);
  if (refusal !== undefined) throw refusal;
  checkHello("client", self, hello);
  expectToken(token, hello);
  const serverNonce = token && makeNonce();
  channel.send(makeHello(self, serverNonce));
  if (token !== undefined && serverNonce !== undefined) {
    const exchange = { clientNonce: hello.nonce ?? "", serverNonce, binding: bindingOf(socket) };
    await challenge(channel, token, exchange, { timeoutMs: timing.helloMs, signal: closing });
  }
  const { spec, sources } = await channel.next(["setup"], timing.helloMs, closing);
  await options.turns.next();
  return open({ spec, sources, remoteAddress, localAddress, sameHost: isSameHost(self, hello) });
}

/** Drives the half by the client's messages until `finish`. */
async function conduct(channel: ServerChannel, half: ServerHalf, { timing, turns }: SessionOptions): Promise<void> {
  channel.send({ type: "prepared", ...half.prepared });
  const stages = new Stages(half, timing);
  half.ready().then(
    () => {
      stages.ready = true;
      channel.send({ type: "ready" });
    },
    // Then the half is halted, which ends the wait below.
    () => undefined,
  );
  for (;;) {
    const message = await channel.next(stages.expected(), stages.deadlineMs(), half.halted);
    if (message.type === "finish") {
      if (message.aborted === true) half.markAborted();
      break;
    }
    await turns.next();
    channel.send(stages.take(message.type));
  }
  sendWithReport(channel, { type: "report", end: undefined }, await half.finish());
  channel.end(new CnbLoadError("ERR_CLOSED", "the session is over"), timing.reportMs);
}

type Step = "go" | "open" | "sample" | "close";

/** Where a session stands, and so what may come next and how long it may take. */
class Stages {
  ready = false;
  readonly #half: ServerHalf;
  readonly #timing: ControlTiming;
  #going = false;
  #window: "ahead" | "open" | "closed" = "ahead";
  /** performance.now() at which the window must have been closed. */
  #closeBy = 0;
  #samples = 0;

  constructor(half: ServerHalf, timing: ControlTiming) {
    this.#half = half;
    this.#timing = timing;
  }

  deadlineMs(): number {
    const { slackMs } = this.#timing;
    if (this.#window === "open") return Math.max(0, this.#closeBy - performance.now());
    if (this.#window === "closed") return slackMs;
    return slackMs + (this.#going ? this.#half.warmupMs : this.#half.setupMs);
  }

  expected(): (Step | "finish")[] {
    const steps: (Step | "finish")[] = ["finish"];
    if (!this.#going && this.#window !== "closed") steps.push("go");
    if (this.#window === "ahead") steps.push("open");
    if (this.#window === "open") {
      steps.push("close");
      if (this.#samples < this.#half.maxSamples) steps.push("sample");
    }
    return steps;
  }

  /** Takes an expected step; returns the answer. Throws ERR_PROTOCOL before the half is ready, which may have changed since. */
  take(step: Step): ServerMessage {
    if (!this.ready) throw new CnbLoadError("ERR_PROTOCOL", `the client sent ${step} before the server was ready`);
    switch (step) {
      case "go":
        this.#half.go();
        this.#going = true;
        return { type: "going" };
      case "open":
        this.#half.openWindow();
        this.#window = "open";
        this.#closeBy = performance.now() + this.#half.durationMs + this.#timing.slackMs;
        return { type: "opened" };
      case "sample":
        this.#samples++;
        return { type: "sampled", ...this.#half.sample() };
      case "close":
        this.#half.closeWindow();
        this.#window = "closed";
        return { type: "closed" };
    }
  }
}

/** Sends a report, or as much of it as fits a frame: with very many flows, what is said of each alone gives way. */
function sendWithReport(
  channel: ServerChannel,
  message: Extract<ServerMessage, { type: "report" | "fail" }>,
  end: EndReport,
): void {
  for (const flows of [end.flows, NO_FLOWS]) {
    try {
      channel.send({ ...message, end: { ...end, flows } });
      return;
    } catch (error) {
      if (!(error instanceof CnbLoadError)) throw error;
    }
  }
}

const NO_FLOWS: EndReport["flows"] = { bytesSent: [], bytesReceived: [], transactions: [], cpu: [] };

function asError(error: unknown): CnbLoadError {
  if (error instanceof CnbLoadError) return error;
  return new CnbLoadError("ERR_PEER_FAILED", "internal error of the server", { cause: error });
}
