import { setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { allowList, plainAddress } from "../control/addresses.js";
import { type Credentials, readCredentials } from "../control/credentials.js";
import { certificateRefusal } from "../control/client-certificate.js";
import { Door } from "../control/door.js";
import { type SessionRequest, serveSession } from "../control/server-session.js";
import { Turns } from "../control/turns.js";
import { CnbLoadError, type ErrorCode } from "../errors.js";
import { type ResolvedServeOptions, type ServeOptions, type TestName, resolveServeOptions } from "../options/spec.js";
import type { Profile } from "../profile/recorder.js";
import { Admission, type Place } from "./admission.js";
import { type Environment, introduction, realEnvironment } from "./environment.js";
import { emptyCounters } from "./half.js";
import { supplyOf } from "./cpu-groups.js";
import { checkCpus } from "./placement.js";
import { tryRecorder } from "./profile.js";
import { ServedHalf } from "./server-half.js";

/** One session as it ended, for a log line. */
export interface SessionSummary {
  /** Numeric address of the client. */
  peer: string;
  /** `aborted`: the client ended it before its time. `failed`: the client was lost, or something broke. `refused`: it never began. */
  outcome: "completed" | "aborted" | "failed" | "refused";
  /** Why it failed or was refused. */
  error?: { code: ErrorCode; message: string };
  /** Absent where the client did not come as far as to say. */
  test?: TestName;
  flows?: number;
  /** The server's window, 0 where it was never opened, and what was counted in it. */
  windowNs: number;
  bytesSent: number;
  bytesReceived: number;
  transactions: number;
  /** Where the server profiles: the files. */
  profile?: Profile;
  /** Why there are none. */
  profileError?: string;
}

export interface ServerHooks {
  /** Folder for a profile of this host over each session's window, as in `RunSettings`. `serve()` rejects where perf is not there or may not. */
  profile?: string | undefined;
  /** Called once for each session or refusal, when nothing of it is left. */
  onSession?: ((summary: SessionSummary) => void) | undefined;
  /**
   * Takes connections whose first bytes are not this protocol's: paused, with nothing consumed, and nothing proven. Whoever serves them asks
   * `sessions` for a place. By default they are closed.
   */
  onOtherProtocol?: ((socket: Socket, sessions: Admission) => void) | undefined;
}

export interface Server extends AsyncDisposable {
  /** Numeric address that it listens on; "::" for every address. */
  readonly host: string;
  /** Control port. */
  readonly port: number;
  /** Resolves when the server has ended, by `close()` or, with `once`, after its session. */
  readonly closed: Promise<void>;
  /** Ends all sessions; resolves when no thread and no socket of them is left. Idempotent. */
  close(): Promise<void>;
}

/** Connections beside the sessions: those that just come, and those that are being told that they cannot. */
const EXTRA_CONNECTIONS = 256;
/** How long close() waits for clients to hear that the server goes. */
const GOODBYE_MS = 250;

/** `serve()` in surroundings of the caller's choice. */
export async function startServer(
  { onSession, onOtherProtocol, profile, ...options }: ServeOptions & ServerHooks,
  environment: Environment = realEnvironment,
): Promise<Server> {
  const resolved = resolveServeOptions(options);
  checkCpus({ ...supplyOf(resolved.cpus, environment.addon().allowedCpus(), "cpus", environment), option: "cpus" });
  const credentials = await readCredentials(resolved, "server");
  const server = new LoadServer(resolved, { onSession, onOtherProtocol, profile }, environment, credentials);
  if (profile !== undefined) await tryRecorder(profile);
  await server.listen();
  return server;
}

class LoadServer implements Server {
  readonly closed: Promise<void>;
  readonly #options: ResolvedServeOptions;
  readonly #hooks: ServerHooks;
  readonly #environment: Environment;
  readonly #credentials: Credentials;
  readonly #allowed: (address: string) => boolean;
  readonly #closing = new AbortController();
  readonly #turns = new Turns();
  readonly #halves = new Set<ServedHalf>();
  /** One per connection that speaks the protocol; they never reject. */
  readonly #conversations = new Set<Promise<void>>();
  readonly #sessions: Admission;
  #door!: Door;
  #idle: NodeJS.Timeout | undefined;
  #closure: Promise<void> | undefined;
  #tellClosed!: () => void;

  constructor(options: ResolvedServeOptions, hooks: ServerHooks, environment: Environment, credentials: Credentials) {
    this.#options = options;
    this.#hooks = hooks;
    this.#environment = environment;
    this.#credentials = credentials;
    this.#allowed = allowList(options.allow);
    this.#sessions = new Admission(options, (count) => this.#onCount(count));
    this.closed = new Promise((resolve) => (this.#tellClosed = resolve));
    // Every client that is just coming listens to it.
    setMaxListeners(0, this.#closing.signal);
  }

  get host(): string {
    return this.#door.host;
  }

  get port(): number {
    return this.#door.port;
  }

  async listen(): Promise<void> {
    const { host, port, maxSessions } = this.#options;
    const { helloMs } = this.#environment.timing;
    const { tls } = this.#credentials;
    // Loaded on use: most servers have none.
    const secure = tls && (await import("../control/tls-server.js")).secureDoor(tls, helloMs);
    this.#door = await Door.open({
      host,
      port,
      maxConnections: maxSessions + EXTRA_CONNECTIONS,
      firstBytesMs: helloMs,
      secure,
      onRefused: (address, error) => void this.#tell(plainAddress(address), undefined, error),
      onClient: (socket, secured) => {
        const conversation = this.#converse(socket, secured).finally(() => {
          this.#conversations.delete(conversation);
        });
        this.#conversations.add(conversation);
      },
      onOther: this.#onOther(),
    });
    this.#onCount(0);
  }

  /** Ends the server where the session that has just gone was the last that it should serve, or when none has come for long enough. */
  #onCount(sessions: number): void {
    const { once, idleExitNs } = this.#options;
    clearTimeout(this.#idle);
    if (sessions > 0) return;
    const end = (): void => void this.close();
    if (once && this.#sessions.served) setImmediate(end);
    else if (idleExitNs > 0) this.#idle = setTimeout(end, idleExitNs / 1e6);
  }

  close(): Promise<void> {
    this.#closure ??= this.#shutDown();
    return this.#closure;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onOther(): ((socket: Socket) => void) | undefined {
    const { onOtherProtocol } = this.#hooks;
    return (
      onOtherProtocol &&
      ((socket) => {
        if (this.#allowed(socket.remoteAddress ?? "")) onOtherProtocol(socket, this.#sessions);
        else socket.destroy();
      })
    );
  }

  async #converse(socket: Socket, secured: TLSSocket | undefined): Promise<void> {
    const peer = plainAddress(socket.remoteAddress ?? "");
    let half: ServedHalf | undefined;
    let place: Place | undefined;
    const error = await serveSession(socket, {
      self: introduction(this.#environment),
      timing: this.#environment.timing,
      refusal: this.#refusal(peer, secured),
      token: this.#credentials.token,
      open: (request) => {
        place = this.#sessions.enter(peer);
        return (half = this.#open(request, place));
      },
      closing: this.#closing.signal,
      turns: this.#turns,
    });
    if (half !== undefined) this.#halves.delete(half);
    place?.leave();
    await this.#tell(peer, half, error);
  }

  /** Why a client may not go on, before anything is asked of it. */
  #refusal(peer: string, secured: TLSSocket | undefined): CnbLoadError | undefined {
    const { tls } = this.#credentials;
    if (!this.#allowed(peer)) return new CnbLoadError("ERR_AUTH", `${peer} is not allowed here (--allow)`);
    if (tls === undefined) return undefined;
    if (secured === undefined) return new CnbLoadError("ERR_AUTH", "this server speaks TLS only (--tls, --tls-ca)");
    return certificateRefusal(tls, secured);
  }

  async #tell(peer: string, half: ServedHalf | undefined, error: CnbLoadError | undefined): Promise<void> {
    const summary = { ...(await summarize(peer, half, error)), ...(await profileOf(half)) };
    const { onSession } = this.#hooks;
    // An error that the caller's function throws is the caller's.
    if (onSession !== undefined)
      queueMicrotask(() => {
        onSession(summary);
      });
  }

  #open(request: SessionRequest, place: Place): ServedHalf {
    this.#closing.signal.throwIfAborted();
    try {
      const half = new ServedHalf(request, this.#options, {
        environment: this.#environment,
        turns: this.#turns,
        profileFolder: this.#hooks.profile,
      });
      this.#halves.add(half);
      place.begin(half.endsBy);
      return half;
    } catch (error) {
      throw error instanceof CnbLoadError && error.code === "ERR_BUSY" ? this.#sessions.busy(error.message) : error;
    }
  }

  async #shutDown(): Promise<void> {
    clearTimeout(this.#idle);
    this.#door.stopListening();
    const reason = new CnbLoadError("ERR_CLOSED", "the server is shutting down");
    this.#closing.abort(reason);
    for (const half of this.#halves) half.halt(reason);
    await Promise.all(this.#conversations);
    await this.#door.close(GOODBYE_MS);
    this.#tellClosed();
  }
}

async function profileOf(half: ServedHalf | undefined): Promise<Pick<SessionSummary, "profile" | "profileError">> {
  try {
    const profile = await half?.finishProfile();
    return profile === undefined ? {} : { profile };
  } catch (thrown) {
    return { profileError: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

async function summarize(
  peer: string,
  half: ServedHalf | undefined,
  error: CnbLoadError | undefined,
): Promise<SessionSummary> {
  const told = error && { error: { code: error.code, message: error.message } };
  if (half === undefined) {
    return { peer, outcome: "refused", ...told, windowNs: 0, bytesSent: 0, bytesReceived: 0, transactions: 0 };
  }
  const { windowNs, counters } = await half.finish().catch(() => ({ windowNs: 0, counters: emptyCounters() }));
  return {
    peer,
    outcome: error !== undefined ? "failed" : half.aborted ? "aborted" : "completed",
    ...told,
    test: half.spec.test,
    flows: half.spec.flows,
    windowNs,
    bytesSent: counters.bytesSent,
    bytesReceived: counters.bytesReceived,
    transactions: counters.transactions,
  };
}
