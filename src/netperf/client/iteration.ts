import { setTimeout as delay } from "node:timers/promises";
import { CnbLoadError } from "../../errors.js";
import type { NativeCounters } from "../../native/index.js";
import { cpuUsage, readCpuSample } from "../../result/cpu.js";
import { readHostContext } from "../../result/host.js";
import type { LocalEnd } from "../../result/raw.js";
import type { Environment } from "../../run/environment.js";
import { Half } from "../../run/half.js";
import { cpuFigures } from "../cpu-figures.js";
import { initialBuffers } from "../socket-buffers.js";
import { ANSWER_MS } from "./control.js";
import { NetperfExit } from "./exit.js";
import type { Measurement, MeasuredSide } from "./measurement.js";
import { type DataEnds, type PlanExtras, clientPlan, localSizes } from "./request.js";
import type { Server } from "./server.js";
import { type Settings, hasTransactions } from "./settings.js";

/** For the peer to say that it is done, once this side is. Queues may be long; a server that says nothing is no longer there. */
const GOODBYE_MS = 60_000;
/** Netserver ends a connection test four seconds after its time. */
const PAD_MS = 4000;

export interface IterationOptions {
  settings: Settings;
  ends: DataEnds;
  server: Server;
  environment: Environment;
  /** The data port to ask for. */
  dataPort: number;
  extras: PlanExtras;
  /** Ends the test as if its time were over. */
  interrupt: AbortSignal;
  onInterim: (point: { bytes: number; transactions: number; seconds: number }) => void;
}

/** One test from request to results. Throws NetperfExit; leaves no thread behind. */
export async function iterate(options: IterationOptions): Promise<Measurement & { dataPort: number }> {
  const { settings, ends, server, environment, extras, interrupt } = options;
  const { dataPort, ...ready } = await server.ready(options.dataPort);
  if (settings.sleepSeconds > 0) await pause(settings.sleepSeconds * 1000, [interrupt]);
  const before = readCpuSample();
  const half = open(environment, clientPlan(settings, ends, dataPort, extras));
  half.openWindow();
  half.go();
  try {
    const passed = await passTest(half, options);
    const after = readCpuSample();
    const end = half.report(readHostContext());
    const connections = settings.kind === "crr" || settings.kind === "cc";
    if (connections && end.total.transactions === 0) throw noConnection(end.total.connectErrors);
    const timedCounts = settings.length.limit === 0 && settings.kind !== "send";
    const counts = timedCounts ? end.counters : end.total;
    const results = await server.results(ANSWER_MS + (connections ? PAD_MS : 0), counts);
    const cpu = settings.measureLocalCpu ? cpuFigures(cpuUsage(before, after)) : undefined;
    return {
      elapsedSeconds: timedCounts ? end.windowNs / 1e9 : passed,
      transactions: hasTransactions(settings.kind) ? counts.transactions : 0,
      // As netperf has it where the kernel tells none.
      mssBytes: settings.protocol === "udp" || end.socket.mssBytes === 0 ? -1 : end.socket.mssBytes,
      local: { ...localSide(settings, end, counts), cpu },
      remote: { ...ready, ...results, failedSends: 0 },
      latency: end.latency,
      tcp: half.tcpState,
      peerAddress: ends.address,
      dataPort,
    };
  } finally {
    await half.stop();
  }
}

function localSide(settings: Settings, end: LocalEnd, counts: NativeCounters): Omit<MeasuredSide, "cpu"> {
  const { kind, local } = settings;
  return {
    initial: initialBuffers(local, settings.protocol),
    final: end.socket,
    ...localSizes(settings),
    bytesSent: counts.bytesSent,
    bytesReceived: counts.bytesReceived,
    sendCalls: kind === "receive" ? 0 : counts.transactions,
    recvCalls: kind === "send" ? 0 : counts.transactions,
    failedSends: counts.datagrams?.refused ?? 0,
    retransmits: end.flows.tcpInfo?.[0]?.retransmits ?? -1,
    congestion: end.socket.congestion,
    ...{ tos: local.tos, prio: local.prio },
  };
}

function open(environment: Environment, plan: ConstructorParameters<typeof Half>[1]): Half {
  try {
    return new Half(environment.addon(), plan);
  } catch (error) {
    throw new NetperfExit(1, {
      err: `netperf: send_omni: ${error instanceof Error ? error.message : String(error)}\n`,
    });
  }
}

/** Resolves with the seconds that it took when the half has ended and closed its sockets. */
async function passTest(half: Half, { settings, server, interrupt, onInterim }: IterationOptions): Promise<number> {
  const started = performance.now();
  const elapsed = (): number => (performance.now() - started) / 1000;
  const { seconds } = settings.length;
  const ended = new AbortController();
  void half.ended.then(() => {
    ended.abort();
  });
  const interim = watch(half, settings, onInterim);
  const ways = [ended.signal, interrupt, server.gone];
  await pause(seconds === 0 ? undefined : seconds * 1000, ways);
  clearInterval(interim?.timer);
  half.closeWindow();
  interim?.take();
  // What nobody else ends the receiver ends itself: a test that is interrupted, and a service that knows no end.
  if (settings.kind === "receive" && (interrupt.aborted || !settings.control)) await half.stop();
  await pause(GOODBYE_MS, [ended.signal, server.gone]);
  const took = elapsed();
  // The server may close the control connection only after its results, and those come after the data.
  if (!ended.signal.aborted || server.gone.aborted) await half.stop();
  if (half.halted.aborted) complain(half.halted.reason, settings);
  return took;
}

/** The loop goes on after failed attempts; a test in which all failed measured nothing. */
function noConnection(errors: NativeCounters["connectErrors"]): NetperfExit {
  const [why = "timed out"] = Object.entries(errors).flatMap(([name, count]) => (count > 0 ? [name] : []));
  return new NetperfExit(1, {
    err: `netperf: send_omni: connect_data_socket failed: no connection came about (${why})\n`,
  });
}

interface Watch {
  timer: NodeJS.Timeout;
  take: () => void;
}

function watch(half: Half, { interimSeconds }: Settings, onInterim: IterationOptions["onInterim"]): Watch | undefined {
  if (interimSeconds === 0) return undefined;
  let last = { bytes: 0, transactions: 0, windowNs: 0 };
  const take = (): void => {
    const { windowNs, counters } = half.snapshot(false);
    const now = { bytes: counters.bytesSent + counters.bytesReceived, transactions: counters.transactions, windowNs };
    if (windowNs <= last.windowNs) return;
    onInterim({
      bytes: now.bytes - last.bytes,
      transactions: now.transactions - last.transactions,
      seconds: (windowNs - last.windowNs) / 1e9,
    });
    last = now;
  };
  return { timer: setInterval(take, interimSeconds * 1000), take };
}

/** Throws unless the session ended in a way that belongs to the test. */
function complain(reason: unknown, { kind, length }: Settings): void {
  const code = reason instanceof CnbLoadError ? reason.code : undefined;
  // A loop that reached its count, and a sender that was done before our own clock was.
  if (code === "ERR_CLOSED" && length.limit > 0) return;
  if (code === "ERR_PEER_LOST" && kind === "receive") return;
  const message = reason instanceof Error ? reason.message : String(reason);
  const call = code === "ERR_CONNECT" || code === "ERR_TIMEOUT" ? "connect_data_socket failed" : "send_data failed";
  throw new NetperfExit(1, { err: `netperf: send_omni: ${call}: ${message}\n` });
}

/** Resolves after so long (undefined = for ever), or as soon as one of the signals is aborted. */
async function pause(ms: number | undefined, signals: AbortSignal[]): Promise<void> {
  const signal = AbortSignal.any(signals);
  if (ms !== undefined) return delay(ms, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
