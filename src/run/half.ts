import { CnbLoadError } from "../errors.js";
import type {
  NativeAddon,
  NativeCounters,
  NativeEvent,
  NativePlan,
  NativeSession,
  NativeSnapshot,
  NativeTcpState,
} from "../native/index.js";
import { flowColumns } from "../result/flows.js";
import type { HostContext } from "../result/model.js";
import type { EndReport, LocalEnd } from "../result/raw.js";
import { type HostSample, hostUse, sampleAfterWindow, sampleBeforeWindow } from "../result/sample.js";
import { errorOfConstruction, errorOfFault } from "./faults.js";

/** Called at the edges of the window, once each; an edge never waits. */
export interface WindowObserver {
  open: () => void;
  close: () => void;
}

/**
 * One host's half of a test: the native session, the samples of the host at the edges of its window, and its report. Whatever happens to the
 * session before its window was closed on purpose aborts `halted`; what happens after concerns nobody.
 */
export class Half {
  readonly plan: NativePlan;
  readonly #engineRefusal: string | null;
  /** Resolves when every flow is up; rejects when the session ends before. */
  readonly ready: Promise<void>;
  /** Resolves when every thread has been joined; never rejects. */
  readonly ended: Promise<void>;
  readonly #session: NativeSession;
  readonly #halt = new AbortController();
  readonly #window: WindowObserver | undefined;
  #windingDown = false;
  #opened: HostSample | undefined;
  #closed: HostSample | undefined;

  /** `engineRefusal`: why `plan.engine` is not the one asked for. Throws CnbLoadError where the addon cannot open the session. */
  constructor(addon: NativeAddon, plan: NativePlan, engineRefusal: string | null = null, window?: WindowObserver) {
    this.plan = plan;
    this.#window = window;
    this.#engineRefusal = engineRefusal;
    let onReady!: () => void;
    let onFailed!: (reason: CnbLoadError) => void;
    let onEnded!: () => void;
    this.ready = new Promise((resolve, reject) => ([onReady, onFailed] = [resolve, reject]));
    this.ended = new Promise((resolve) => (onEnded = resolve));
    // Whoever does not wait for it learns the same from `halted`.
    this.ready.catch(() => undefined);
    const onEvent = (event: NativeEvent): void => {
      if (event.type === "ready") {
        onReady();
        return;
      }
      const reason =
        event.fault === null ? new CnbLoadError("ERR_CLOSED", "the test was stopped") : errorOfFault(event.fault);
      onFailed(reason);
      if (!this.#windingDown) this.#halt.abort(reason);
      onEnded();
    };
    try {
      this.#session = new addon.Session(plan, onEvent);
    } catch (thrown) {
      throw errorOfConstruction(thrown);
    }
  }

  /** The data port. */
  get port(): number {
    return this.#session.port;
  }

  /** Aborted with a CnbLoadError when the session ended of itself. */
  get halted(): AbortSignal {
    return this.#halt.signal;
  }

  /** Whether the window was ever opened. */
  get measured(): boolean {
    return this.#opened !== undefined;
  }

  /** Aborts `halted` for a reason that lies elsewhere. */
  halt(reason: CnbLoadError): void {
    this.#halt.abort(reason);
  }

  go(): void {
    this.#session.go();
  }

  openWindow(): void {
    this.#opened = sampleBeforeWindow();
    this.#session.openWindow();
    this.#window?.open();
  }

  /** Idempotent; nothing where the window was never opened. */
  closeWindow(): void {
    this.#windingDown = true;
    this.#leaveWindow(() => this.#session.closeWindow());
  }

  snapshot(histograms: boolean, tcp = false): NativeSnapshot {
    return this.#session.snapshot(histograms, tcp);
  }

  /** Payload of the whole session until now, whether it counts or not. */
  moved(): { bytesSent: number; bytesReceived: number } {
    return this.#session.moved();
  }

  /** Ends the session from any state and resolves when its threads have been joined. Idempotent. */
  async stop(): Promise<void> {
    this.#windingDown = true;
    this.#session.stop();
    // A window that is still open ends with the session: what the other end goes on to send is not waited for.
    this.#leaveWindow();
    await this.ended;
  }

  #leaveWindow(close?: () => void): void {
    if (this.#opened === undefined || this.#closed !== undefined) return;
    close?.();
    this.#window?.close();
    this.#closed = sampleAfterWindow();
  }

  /** Of a foreign flow; only after `ended`. */
  get tcpState(): NativeTcpState | undefined {
    return this.#session.result().tcpState;
  }

  /** Everything measured; only after `ended`. */
  report(host: HostContext): LocalEnd {
    const { engine, cpus } = this.plan;
    const { flows, fault: _fault, tcpState: _tcpState, ...measured } = this.#session.result();
    const use = this.#opened && this.#closed && hostUse(this.#opened, this.#closed, host.interface);
    const refusal = this.#engineRefusal === null ? {} : { engineRefusal: this.#engineRefusal };
    return { engine, ...refusal, workers: cpus.length, cpus, ...measured, flows: flowColumns(flows), ...use, host };
  }
}

/** The part of a report that crosses the wire: a server's half times nothing. */
export function withoutHistograms(end: LocalEnd): EndReport {
  const { latency: _latency, connectLatency: _connect, requestLatency: _request, ...report } = end;
  return report;
}

export function emptyCounters(): NativeCounters {
  const connectErrors = { portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 };
  return { bytesSent: 0, bytesReceived: 0, transactions: 0, connections: 0, connectErrors };
}

/** The end of a run that never came as far as to have a session. */
export function emptyEnd(host: HostContext): LocalEnd {
  return {
    engine: "block",
    workers: 0,
    cpus: [],
    windowNs: 0,
    counters: emptyCounters(),
    total: emptyCounters(),
    flows: { bytesSent: [], bytesReceived: [], transactions: [], cpu: [] },
    host,
    workerCpuNs: 0,
    socket: { sndbufBytes: 0, rcvbufBytes: 0, congestion: "", mssBytes: 0 },
    buffers: "page",
  };
}
