import type {
  NativeAddon,
  NativeCounters,
  NativeEvent,
  NativeFault,
  NativeHistogram,
  NativeLinkFacts,
  NativePlan,
  NativeResult,
  NativeSession,
  NativeSnapshot,
} from "../../src/native/index.js";

/** What every flow does, each second of a fake window. */
export const BYTES_PER_SECOND = 1_000_000;
export const TRANSACTIONS_PER_SECOND = 10_000;
/** The one latency that a fake client records, ns. Below 2048, an index of the histogram is its value. */
export const LATENCY_NS = 1000;

const NO_ERRORS = { portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 };

export function faultOf(phase: string, code: string, details: Partial<NativeFault> = {}): NativeFault {
  return { phase, syscall: "", errno: 0, code, address: "", message: `made up ${code}`, ...details };
}

/** A session without threads or sockets, whose counters follow the clock. Events come in later turns of the loop, as the addon's do. */
export class FakeSession implements NativeSession {
  readonly plan: NativePlan;
  readonly port: number;
  readonly calls: string[] = [];
  readonly #onEvent: (event: NativeEvent) => void;
  #openedNs = 0;
  #closedNs = 0;
  #fault: NativeFault | null = null;
  #ending = false;
  #ended = false;

  constructor(plan: NativePlan, port: number, onEvent: (event: NativeEvent) => void) {
    this.plan = plan;
    this.port = port;
    this.#onEvent = onEvent;
  }

  get live(): boolean {
    return !this.#ended;
  }

  becomeReady(): void {
    setImmediate(() => {
      if (!this.#ending) this.#onEvent({ type: "ready" });
    });
  }

  /** Ends the session as a fault in one of its threads would. */
  fail(fault: NativeFault): void {
    this.#end(fault);
  }

  go(): void {
    this.calls.push("go");
  }

  openWindow(): void {
    this.calls.push("openWindow");
    this.#openedNs = nowNs();
  }

  closeWindow(): void {
    this.calls.push("closeWindow");
    this.#close();
  }

  stop(): void {
    if (!this.#ending) this.calls.push("stop");
    this.#end(null);
  }

  snapshot(histograms: boolean): NativeSnapshot {
    const windowNs = this.#windowNs();
    const latency = histograms && this.#timed ? { latency: this.#histogram(windowNs) } : {};
    return { atNs: nowNs(), windowNs, ready: true, counters: this.#counters(windowNs, this.plan.flows), ...latency };
  }

  moved(): { bytesSent: number; bytesReceived: number } {
    return this.#counters(this.#windowNs(), this.plan.flows);
  }

  result(): NativeResult {
    if (!this.#ended) throw new Error("result: the session has not ended yet");
    const windowNs = this.#windowNs();
    const crr = this.plan.loop === "crr";
    const client = this.plan.role === "client";
    const one = this.#counters(windowNs, 1);
    const flow = { bytesSent: one.bytesSent, bytesReceived: one.bytesReceived, transactions: one.transactions, cpu: 0 };
    const histogram = this.#histogram(windowNs);
    return {
      windowNs,
      counters: this.#counters(windowNs, this.plan.flows),
      total: this.#counters(windowNs, this.plan.flows),
      flows: Array.from({ length: this.plan.flows }, () => ({
        ...flow,
        ...(crr && client && { connectErrors: NO_ERRORS }),
      })),
      ...(this.#timed && { latency: histogram }),
      ...(this.#timed && crr && { connectLatency: histogram }),
      ...(this.#timed && crr && this.plan.requestBytes > 0 && { requestLatency: histogram }),
      buffers: "page",
      memoryNodes: this.plan.cpus.map(() => -1),
      workerCpuNs: 0,
      socket: { sndbufBytes: 1, rcvbufBytes: 1, congestion: "cubic", mssBytes: 1448 },
      fault: this.#fault,
    };
  }

  get #timed(): boolean {
    return this.plan.role === "client" && (this.plan.loop === "rr" || this.plan.loop === "crr");
  }

  #windowNs(): number {
    if (this.#openedNs === 0) return 0;
    return (this.#closedNs === 0 ? nowNs() : this.#closedNs) - this.#openedNs;
  }

  #counters(windowNs: number, flows: number): NativeCounters {
    const bytes = flows * Math.floor((windowNs / 1e9) * BYTES_PER_SECOND);
    const transactions = flows * Math.floor((windowNs / 1e9) * TRANSACTIONS_PER_SECOND);
    const { loop } = this.plan;
    const bulk = loop === "send" || loop === "receive";
    return {
      bytesSent: loop === "receive" ? 0 : bytes,
      bytesReceived: loop === "send" ? 0 : bytes,
      transactions: bulk ? 0 : transactions,
      connections: loop === "crr" ? transactions : 0,
      connectErrors: NO_ERRORS,
    };
  }

  #histogram(windowNs: number): NativeHistogram {
    const count = this.#counters(windowNs, this.plan.flows).transactions;
    const edge = count === 0 ? 0 : LATENCY_NS;
    return {
      first: LATENCY_NS,
      counts: Float64Array.of(count),
      sumNs: count * LATENCY_NS,
      minNs: edge,
      maxNs: edge,
    };
  }

  #close(): void {
    if (this.#openedNs !== 0 && this.#closedNs === 0) this.#closedNs = nowNs();
  }

  #end(fault: NativeFault | null): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#close();
    this.#fault = fault;
    setImmediate(() => {
      this.#ended = true;
      this.#onEvent({ type: "ended", fault });
    });
  }
}

/** The addon without native code. A client's session becomes ready with its server's, found by the port. */
export class FakeAddon implements NativeAddon {
  readonly sessions: FakeSession[] = [];
  readonly Session: NativeAddon["Session"];
  cpus = [0, 1, 2, 3];
  uringRefusal: string | null = null;
  /** Called before a session is made; may throw what the addon would throw. */
  onConstruct: (plan: NativePlan) => void = () => undefined;
  /** Which sessions become ready. */
  becomesReady: (plan: NativePlan) => boolean = () => true;
  #nextPort = 40_000;

  constructor() {
    // An arrow function cannot be called with `new`; a function that returns an object decides what `new` yields.
    const make = this.#make.bind(this);
    this.Session = function (plan: NativePlan, onEvent: (event: NativeEvent) => void) {
      return make(plan, onEvent);
    } as unknown as NativeAddon["Session"];
  }

  /** Sessions whose threads have not been joined. */
  get live(): FakeSession[] {
    return this.sessions.filter((session) => session.live);
  }

  allowedCpus(): number[] {
    return this.cpus;
  }

  currentCpu(): number {
    return this.cpus[0] ?? 0;
  }

  linkFacts(): NativeLinkFacts {
    return { tso: true, gso: true, qdisc: "fq_fake" };
  }

  nowNs(): number {
    return nowNs();
  }

  uringUnavailableReason(): string | null {
    return this.uringRefusal;
  }

  /** The newest session of a role. */
  newest(role: "client" | "server"): FakeSession | undefined {
    return this.sessions.findLast(({ plan }) => plan.role === role);
  }

  #make(plan: NativePlan, onEvent: (event: NativeEvent) => void): FakeSession {
    this.onConstruct(plan);
    const session = new FakeSession(plan, plan.port === 0 ? this.#nextPort++ : plan.port, onEvent);
    this.sessions.push(session);
    const ready = plan.role === "client" || plan.loop === "crr" ? [session] : [];
    if (plan.role === "client") {
      const server = this.sessions.find(({ port, plan: { role } }) => role === "server" && port === plan.port);
      if (server !== undefined && plan.loop !== "crr") ready.push(server);
    }
    for (const one of ready) if (this.becomesReady(one.plan)) one.becomeReady();
    return session;
  }
}

function nowNs(): number {
  return Math.round(performance.now() * 1e6);
}
