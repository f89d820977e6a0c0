import type { Socket } from "node:net";
import { CnbLoadError } from "../errors.js";
import type { ResolvedSpec } from "../options/spec.js";
import { plainAddress } from "./addresses.js";
import { proveAndCheck } from "./authenticate.js";
import { Channel } from "./channel.js";
import { MAX_FRAME_TO_CLIENT, MAX_FRAME_TO_SERVER, PREAMBLE } from "./codec.js";
import { type ControlTarget, connectControl } from "./connect.js";
import type { Credentials } from "./credentials.js";
import { type Introduction, checkHello, isSameHost, makeHello } from "./hello.js";
import { type ClientMessage, type ServerMessage, decodeServerMessage } from "./messages.js";
import type { ControlTiming } from "./timing.js";
import { bindingOf, makeNonce } from "./token.js";
import { fromWire } from "./wire-error.js";

export type Prepared = Extract<ServerMessage, { type: "prepared" }>;
export type Sampled = Extract<ServerMessage, { type: "sampled" }>;

/**
 * The client's end of a session: one method per step, in the order of docs/protocol.md. Every method rejects with the reason once the
 * session is lost, refused or failed by the server, and with the signal's reason where that comes first.
 */
export class ControlClient {
  /** Numeric address of the server, with its %scope where there is one. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Resolves with the reason when the session is over; never rejects. */
  readonly ended: Promise<CnbLoadError>;
  readonly #channel: Channel<ServerMessage, ClientMessage>;
  readonly #timing: ControlTiming;
  #sameHost = false;
  #failure: CnbLoadError | undefined;
  #failureReport: unknown;

  private constructor(socket: Socket, timing: ControlTiming) {
    this.remoteAddress = plainAddress(socket.remoteAddress ?? "");
    this.localAddress = plainAddress(socket.localAddress ?? "");
    this.#timing = timing;
    this.#channel = new Channel(socket, {
      peer: "server",
      decode: decodeServerMessage,
      maxInBytes: MAX_FRAME_TO_CLIENT,
      maxOutBytes: MAX_FRAME_TO_SERVER,
      timing,
      preamble: false,
      intercept: (message) => this.#intercept(message),
    });
    this.ended = this.#channel.ended;
  }

  /** Connects, with TLS where the target asks for it, and exchanges hellos; with a token both ends prove that they know it. */
  static async connect(
    target: ControlTarget & Credentials,
    self: Introduction,
    timing: ControlTiming,
    signal: AbortSignal,
  ): Promise<ControlClient> {
    const plain = await connectControl(target, timing.connectMs, signal);
    const { tls } = target;
    // Loaded on use: most runs have none.
    const socket =
      tls === undefined
        ? plain
        : await (await import("./tls-client.js")).secureClient(plain, tls, target.host, timing.connectMs, signal);
    const client = new ControlClient(socket, timing);
    try {
      socket.write(PREAMBLE);
      const { token } = target;
      const nonce = token && makeNonce();
      client.#channel.send(makeHello(self, nonce));
      const hello = await client.#channel.next(["hello"], timing.replyMs, signal);
      checkHello("server", self, hello);
      if (token !== undefined && nonce !== undefined) {
        const exchange = { clientNonce: nonce, binding: bindingOf(socket) };
        await proveAndCheck(client.#channel, token, exchange, hello, { timeoutMs: timing.replyMs, signal });
      }
      client.#sameHost = isSameHost(self, hello);
      return client;
    } catch (error) {
      client.destroy();
      throw noServer(error, target);
    }
  }

  /** Whether the server runs on this machine. */
  get sameHost(): boolean {
    return this.#sameHost;
  }

  /** Why the server failed, once it has said so. */
  get failure(): CnbLoadError | undefined {
    return this.#failure;
  }

  /** What the server had measured when it failed, if it told; unchecked. */
  get failureReport(): unknown {
    return this.#failureReport;
  }

  async setup(spec: ResolvedSpec, sources: string[], signal: AbortSignal): Promise<Prepared> {
    this.#channel.send({ type: "setup", spec, sources });
    return this.#channel.next(["prepared"], this.#timing.replyMs, signal);
  }

  async ready(timeoutMs: number, signal: AbortSignal): Promise<void> {
    await this.#channel.next(["ready"], timeoutMs + this.#timing.slackMs, signal);
  }

  async go(signal: AbortSignal): Promise<void> {
    this.#channel.send({ type: "go" });
    await this.#channel.next(["going"], this.#timing.replyMs, signal);
  }

  async open(signal: AbortSignal): Promise<void> {
    this.#channel.send({ type: "open" });
    await this.#channel.next(["opened"], this.#timing.replyMs, signal);
  }

  async sample(signal: AbortSignal): Promise<Sampled> {
    this.#channel.send({ type: "sample" });
    return this.#channel.next(["sampled"], this.#timing.replyMs, signal);
  }

  async close(timeoutMs: number): Promise<void> {
    this.#channel.send({ type: "close" });
    await this.#skipTo("closed", timeoutMs);
  }

  /** The server's EndReport, unchecked. Allowed at any time after `setup`. `aborted`: the caller wanted no more of the test. */
  async finish(timeoutMs: number, aborted = false): Promise<unknown> {
    this.#channel.send({ type: "finish", ...(aborted && { aborted }) });
    const answer = await this.#skipTo("report", timeoutMs);
    return answer.type === "report" ? answer.end : undefined;
  }

  /** Gives the session up; idempotent. */
  destroy(): void {
    this.#channel.fail(new CnbLoadError("ERR_CLOSED", "the run is over"));
  }

  /** Passes over the answers to questions that were given up: at most `ready` and two more. */
  async #skipTo(type: "closed" | "report", timeoutMs: number): Promise<ServerMessage> {
    const late = ["prepared", "ready", "going", "opened", "sampled", "closed"] as const;
    for (let skipped = 0; skipped < 3; skipped++) {
      const answer = await this.#channel.next([type, ...late], timeoutMs);
      if (answer.type === type) return answer;
    }
    return this.#channel.next([type], timeoutMs);
  }

  #intercept(message: ServerMessage): CnbLoadError | undefined {
    if (message.type !== "fail" && message.type !== "refuse") return undefined;
    this.#failure = fromWire(message);
    if (message.type === "fail") this.#failureReport = message.end;
    return this.#failure;
  }
}

/** Tells a person who reached something else where the trouble lies. */
function noServer(error: unknown, target: ControlTarget): unknown {
  if (!(error instanceof CnbLoadError)) return error;
  if (!["ERR_PROTOCOL", "ERR_TIMEOUT", "ERR_PEER_LOST"].includes(error.code)) return error;
  const text = `${target.host} port ${target.port} does not answer as a cnb-load server: ${error.message}`;
  return new CnbLoadError(error.code, text, { cause: error, address: error.address });
}
