import { createHash, timingSafeEqual } from "node:crypto";
import { availableParallelism, constants } from "node:os";
import type { Socket } from "node:net";
import { plainAddress } from "../../control/addresses.js";
import type { ErrorCode } from "../../errors.js";
import type { NativePlan } from "../../native/index.js";
import type { ResolvedServeOptions } from "../../options/spec.js";
import type { Admission, Place } from "../../run/admission.js";
import { supplyOf } from "../../run/cpu-groups.js";
import { type Environment, realEnvironment } from "../../run/environment.js";
import { checkMemory } from "../../run/memory.js";
import type { SessionSummary } from "../../run/serve.js";
import { ControlStream } from "../wire/control-stream.js";
import { messageType, serverCpu } from "../wire/fields.js";
import { TYPE, UNKNOWN_TEST, passphrase } from "../wire/omni.js";
import { DIALECTS, type Dialect } from "./dialects.js";
import { calibrationReply, errorReply, responseTo, resultsOf } from "./replies.js";
import { type Job, Refusal, jobOf } from "./request.js";
import { cpuFor, everywhere, planOf, withoutPriority } from "./plan.js";
import { type Outcome, ServedTest } from "./served-test.js";

const { EACCES, EADDRINUSE, EADDRNOTAVAIL, EBUSY, EIO, ENOMEM, EPERM } = constants.errno;
/** What a refusal by errno is to the log. */
const CODES: Readonly<Record<number, ErrorCode>> = {
  [EACCES]: "ERR_AUTH",
  [EBUSY]: "ERR_BUSY",
  [ENOMEM]: "ERR_LIMIT",
  [EPERM]: "ERR_LIMIT",
};
/** What another port, address or priority may help against. */
const MENDABLE = [EADDRINUSE, EADDRNOTAVAIL, EPERM];

/** In ms. Tests shorten them. */
export interface AcceptorTiming {
  /** For the first request, and each further one: netperf sends them right after connecting and after each result. */
  idleMs: number;
  /** From the first byte of a request to its last. */
  messageMs: number;
  /** netserver waits as long for the passphrase. */
  passphraseMs: number;
}

const DEFAULT_TIMING: Readonly<AcceptorTiming> = { idleMs: 60_000, messageMs: 5000, passphraseMs: 20_000 };
const LINGER_MS = 2000;
/** Finds a client whose host is gone without a word within 15 s (Node probes ten times, once a second, after this). */
const KEEP_ALIVE_MS = 5000;

/** Limits that clients of every protocol obey; how many may come at a time is the door's to say. */
type Limits = Pick<
  ResolvedServeOptions,
  "maxDurationNs" | "dataPort" | "cpus" | "maxBandwidthBitsPerSecond" | "maxMemoryBytes"
>;

export type AcceptorOptions = Limits & {
  /** What clients must send first, undefined = nothing. */
  passphrase?: string | undefined;
  /** Why no client may have a test, undefined = each may. */
  refusal?: string | undefined;
  /** One connection after another: the next waits until the one before is done with. */
  single?: boolean | undefined;
  /** Called once for each test, or refusal of one. */
  onSession?: ((summary: SessionSummary) => void) | undefined;
  timing?: AcceptorTiming;
};

/** Serves netperf clients that come in through the server's door. */
export class NetperfAcceptor implements AsyncDisposable {
  readonly #options: AcceptorOptions;
  readonly #environment: Environment;
  readonly #conversations = new Map<Promise<void>, Conversation>();
  #turn = 0;

  constructor(options: AcceptorOptions, environment: Environment = realEnvironment) {
    this.#options = options;
    this.#environment = environment;
  }

  /** Takes a connection of which nothing has been read. */
  readonly accept = (socket: Socket, sessions: Admission): void => {
    const conversation = new Conversation(socket, this.#options, sessions, this.#run.bind(this));
    const before = this.#options.single === true ? Promise.all(this.#conversations.keys()) : undefined;
    const done = conversation.hold(before).finally(() => this.#conversations.delete(done));
    this.#conversations.set(done, conversation);
  };

  /** Ends every conversation; resolves when no thread of any is left. */
  async close(): Promise<void> {
    for (const conversation of this.#conversations.values()) conversation.abandon();
    await Promise.all(this.#conversations.keys());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One test; throws Refusal. `onReady` gets the response to send, and then the outcome is waited for. */
  async #run({ message, dialect, ends, gone, reply, begin }: Asked): Promise<Tested> {
    const request = dialect.request(message);
    const job = jobOf(request);
    const { maxDurationNs, dataPort, cpus, refusal } = this.#options;
    if (refusal !== undefined) throw new Refusal(EACCES, refusal);
    if (job.seconds * 1e9 > maxDurationNs) {
      throw new Refusal(EPERM, `${job.seconds} s are longer than this server allows (--max-duration)`);
    }
    const addon = this.#environment.addon();
    const allowed = addon.allowedCpus();
    const supply = supplyOf(cpus, allowed, "cpus", this.#environment);
    const own = supply.wanted ?? (cpus === null ? [] : supply.allowed);
    const cpu = cpuFor(serverCpu.read(message), allowed, own[this.#turn++ % own.length] ?? -1);
    const plan = this.#limited(planOf(job, request, ends, cpu, dataPort));
    begin(performance.now() + (job.seconds === 0 ? maxDurationNs / 1e6 : job.seconds * 1000));
    const test = this.#open(job, plan);
    reply(dialect.response(responseTo(request, job, test.plan, test.port)));
    const outcome = await test.run(gone);
    reply(dialect.results(resultsOf(request, job, outcome), outcome.error));
    return { job, outcome };
  }

  /** netperf's clients cannot be asked for a pace: what this end sends is given one, what it receives is watched. */
  #limited(plan: NativePlan): NativePlan {
    const { maxBandwidthBitsPerSecond: most, maxMemoryBytes } = this.#options;
    try {
      checkMemory(plan, maxMemoryBytes, this.#environment.read);
    } catch (error) {
      throw new Refusal(ENOMEM, (error as Error).message);
    }
    if (most === 0 || plan.loop !== "send") return plan;
    const asked = plan.bandwidthBitsPerSecond;
    return { ...plan, bandwidthBitsPerSecond: asked === 0 ? most : Math.min(asked, most) };
  }

  /**
   * As netserver does, another port where the one asked for is taken; every address where the one asked for is not this host's; and no
   * priority where this process may not set it.
   */
  #open(job: Job, plan: NativePlan): ServedTest {
    const otherPort = { ...plan, port: this.#options.dataPort };
    const attempts = [plan, withoutPriority(plan), otherPort, everywhere(plan), everywhere(otherPort)];
    let refusal: unknown;
    for (const attempt of attempts) {
      try {
        return new ServedTest(job, attempt, this.#options, this.#environment);
      } catch (error) {
        refusal = error;
        if (!(error instanceof Refusal) || !MENDABLE.includes(error.code)) throw error;
      }
    }
    throw refusal;
  }
}

interface Ends {
  localAddress: string;
  remoteAddress: string;
}

interface Tested {
  job: Job;
  outcome: Outcome;
}

interface Asked {
  message: Buffer;
  dialect: Dialect;
  ends: Ends;
  gone: AbortSignal;
  reply: (message: Buffer) => void;
  /** Takes a place for the client, for a test that will be over by then. Throws Refusal. */
  begin: (endsBy: number) => void;
}

type RunTest = (asked: Asked) => Promise<Tested>;

/** One control connection: requests one after another, each answered in full before the next is looked at. */
class Conversation {
  readonly #stream: ControlStream;
  readonly #options: AcceptorOptions;
  readonly #timing: AcceptorTiming;
  readonly #run: RunTest;
  readonly #ends: Ends;
  readonly #sessions: Admission;
  /** During a test. */
  #place: Place | undefined;

  constructor(socket: Socket, options: AcceptorOptions, sessions: Admission, run: RunTest) {
    this.#sessions = sessions;
    this.#ends = { localAddress: socket.localAddress ?? "", remoteAddress: socket.remoteAddress ?? "" };
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#options = options;
    this.#timing = options.timing ?? DEFAULT_TIMING;
    this.#stream = new ControlStream(socket, { messageMs: this.#timing.messageMs });
    this.#run = run;
  }

  abandon(): void {
    this.#stream.destroy();
  }

  /** Resolves when the connection is done with; never rejects. Nothing is answered before `turn`. */
  async hold(turn?: Promise<unknown>): Promise<void> {
    try {
      await turn;
      if (!(await this.#isAdmitted())) return;
      for (;;) {
        const message = await this.#stream.next(this.#timing.idleMs);
        if (message === null) return;
        await this.#answer(message);
      }
    } finally {
      this.#leave();
      if (this.#stream.gone.aborted) this.#stream.destroy();
      else this.#stream.end(LINGER_MS);
    }
  }

  async #isAdmitted(): Promise<boolean> {
    const expected = this.#options.passphrase;
    if (expected === undefined) return true;
    const message = await this.#stream.next(this.#timing.passphraseMs);
    if (message === null || messageType.read(message) !== TYPE.passphrase) return false;
    return isSame(passphrase.text.read(message), expected);
  }

  async #answer(message: Buffer): Promise<void> {
    const type = messageType.read(message);
    const send = (reply: Buffer): void => {
      this.#stream.send(reply);
    };
    switch (type) {
      case TYPE.passphrase:
        return;
      case TYPE.debugOn:
      case TYPE.debugOff: {
        send(errorReply(TYPE.debugOk, 0));
        return;
      }
      case TYPE.calibrate: {
        if (this.#options.refusal === undefined) send(calibrationReply(availableParallelism()));
        else send(errorReply(TYPE.calibrate, EACCES));
        return;
      }
      default: {
        const dialect = DIALECTS.get(type);
        if (dialect === undefined) send(errorReply(type, UNKNOWN_TEST));
        else await this.#test(message, dialect, send);
        return;
      }
    }
  }

  async #test(message: Buffer, dialect: Dialect, reply: (message: Buffer) => void): Promise<void> {
    const peer = plainAddress(this.#ends.remoteAddress);
    try {
      const { gone } = this.#stream;
      const begin = (endsBy: number): void => {
        this.#begin(peer, endsBy);
      };
      const { job, outcome } = await this.#run({ message, dialect, ends: this.#ends, gone, reply, begin });
      this.#tell(summaryOf(peer, job, outcome, this.#stream.gone.aborted));
    } catch (error) {
      reply(errorReply(dialect.responseType, error instanceof Refusal ? error.code : EIO));
      const code = error instanceof Refusal ? (CODES[error.code] ?? "ERR_PROTOCOL") : "ERR_PROTOCOL";
      const told = { code, message: error instanceof Error ? error.message : String(error) };
      this.#tell({
        peer,
        outcome: "refused",
        error: told,
        windowNs: 0,
        bytesSent: 0,
        bytesReceived: 0,
        transactions: 0,
      });
    } finally {
      // A server of one session stays for all the tests of its connection.
      if (!this.#sessions.once) this.#leave();
    }
  }

  #leave(): void {
    this.#place?.leave();
    this.#place = undefined;
  }

  #begin(peer: string, endsBy: number): void {
    try {
      this.#place ??= this.#sessions.enter(peer);
    } catch (error) {
      throw new Refusal(EBUSY, (error as Error).message);
    }
    this.#place.begin(endsBy);
  }

  #tell(summary: SessionSummary): void {
    const { onSession } = this.#options;
    if (onSession !== undefined) queueMicrotask(() => onSession(summary));
  }
}

/** Takes as long wherever they differ. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}

function summaryOf(
  peer: string,
  { test }: Job,
  { end, elapsedSeconds, error }: Outcome,
  gone: boolean,
): SessionSummary {
  const { bytesSent, bytesReceived, transactions } = end.total;
  const figures = { windowNs: elapsedSeconds * 1e9, bytesSent, bytesReceived, transactions };
  const common = { peer, test, flows: 1, ...figures };
  if (gone) {
    return {
      ...common,
      outcome: "failed",
      error: { code: "ERR_PEER_LOST", message: "netperf went away during its test" },
    };
  }
  if (error === 0) return { ...common, outcome: "completed" };
  return {
    ...common,
    outcome: "failed",
    error: { code: "ERR_TRAFFIC", message: `the test ended with errno ${error}` },
  };
}
