/** Sessions of the addon driven as src/run drives them, with promises for their events. */
import { expect } from "vitest";
import {
  type NativeAddon,
  type NativeEvent,
  type NativeFault,
  type NativePlan,
  type NativeResult,
  type NativeSession,
  type NativeSnapshot,
  loadAddon,
} from "../../src/native/index.js";
import { until } from "../support/until.js";
import { clientPlan } from "./plans.js";

export class Half {
  readonly session: NativeSession;
  readonly events: NativeEvent["type"][] = [];
  /** Rejects where the session ends before. */
  readonly ready: Promise<void>;
  readonly ended: Promise<NativeFault | null>;

  constructor(plan: NativePlan, addon: NativeAddon = loadAddon()) {
    let onReady!: () => void;
    let onFailed!: (reason: Error) => void;
    let onEnded!: (fault: NativeFault | null) => void;
    this.ready = new Promise((resolve, reject) => ([onReady, onFailed] = [resolve, reject]));
    this.ended = new Promise((resolve) => (onEnded = resolve));
    this.ready.catch(() => undefined);
    this.session = new addon.Session(plan, (event) => {
      this.events.push(event.type);
      if (event.type === "ready") {
        onReady();
      } else {
        onFailed(new Error(`ended before it was ready: ${event.fault?.message ?? "stopped"}`));
        onEnded(event.fault);
      }
    });
  }

  async stop(): Promise<NativeFault | null> {
    this.session.stop();
    return this.ended;
  }
}

/** Both halves of one test; ends both however the scope is left. */
export class Pair implements AsyncDisposable {
  readonly server: Half;
  readonly client: Half;

  constructor(server: NativePlan, client: Partial<NativePlan> = {}) {
    this.server = new Half(server);
    this.client = new Half(clientPlan(server, this.server.session.port, client));
  }

  get halves(): [Half, Half] {
    return [this.server, this.client];
  }

  async ready(): Promise<void> {
    await Promise.all([this.server.ready, this.client.ready]);
  }

  go(): void {
    this.server.session.go();
    this.client.session.go();
  }

  async stop(): Promise<void> {
    await Promise.all([this.client.stop(), this.server.stop()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export interface Measured {
  server: NativeResult;
  client: NativeResult;
}

/** Transactions, or megabytes where there are none. */
function workOf({ counters }: NativeSnapshot): number {
  return counters.transactions + (counters.bytesSent + counters.bytesReceived) / 1e6;
}

/** Waits until a half has done some work in its window. */
export function untilWorking({ session }: Half, amount = 50): Promise<void> {
  return until(() => workOf(session.snapshot(false)) >= amount, "the session works");
}

/** Long enough for the scheduler to have given every worker its turn, however few CPUs there are. */
const FAIR_NS = 100e6;

/** A whole test: traffic before the window, a window with work of every flow in it, traffic after. */
export async function measure(server: NativePlan, client: Partial<NativePlan> = {}): Promise<Measured> {
  await using pair = new Pair(server, client);
  await pair.ready();
  pair.go();
  for (const { session } of pair.halves) session.openWindow();
  await untilWorking(pair.client, 50 * server.flows);
  await until(() => pair.client.session.snapshot(false).windowNs >= FAIR_NS, "the window is long enough");
  for (const { session } of pair.halves) session.closeWindow();
  // The client first: it would count connections to a server that is gone.
  await pair.client.stop();
  await pair.server.stop();
  const [serverHalf, clientHalf] = pair.halves;
  expect(serverHalf.events).toEqual(["ready", "ended"]);
  expect(clientHalf.events).toEqual(["ready", "ended"]);
  return { server: serverHalf.session.result(), client: clientHalf.session.result() };
}
