/** Raw figures of a short real run within this process, as material for what comes after a run. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { loadAddon } from "../../dist/native/index.js";
import { type ResolvedSpec, resolveRunOptions } from "../../dist/options/spec.js";
import { readHostContext } from "../../dist/result/host.js";
import type { EndReport, RawRun } from "../../dist/result/raw.js";
import { Half, withoutHistograms } from "../../dist/run/half.js";
import { planHalf } from "../../dist/run/plan.js";

const HOST = "127.0.0.1";
const WINDOW_MS = 300;

export interface Recording {
  /** Ended: its counters and histograms stand still. */
  client: Half;
  raw: RawRun & { remote: EndReport };
}

/** RR with one blocking worker per flow on each side. */
export async function recordRr(flows: number): Promise<Recording> {
  const addon = loadAddon();
  const spec = resolveRunOptions({ test: "tcp_rr", host: HOST, flows, engine: "block" });
  const cookie = randomBytes(16);
  const half = (role: "client" | "server", port: number): Half =>
    new Half(
      addon,
      planHalf({
        role,
        spec,
        cpus: supply(addon),
        address: HOST,
        port,
        addresses: [],
        localPorts: null,
        cookie,
        engineRefusal: null,
      }),
    );
  const server = half("server", 0);
  const client = half("client", server.port);
  await Promise.all([client.ready, server.ready]);
  for (const one of [server, client]) {
    one.openWindow();
    one.go();
  }
  await delay(WINDOW_MS);
  for (const one of [client, server]) one.closeWindow();
  await Promise.all([client.stop(), server.stop()]);
  const host = readHostContext(HOST);
  return { client, raw: rawRun(spec, client.report(host), withoutHistograms(server.report(host))) };
}

function supply(addon: ReturnType<typeof loadAddon>) {
  const allowed = addon.allowedCpus();
  return { allowed, wanted: null, option: "cpus", current: addon.currentCpu(), taken: [], coreRank: () => 0 } as const;
}

function rawRun(spec: ResolvedSpec, local: RawRun["local"], remote: EndReport): Recording["raw"] {
  const startedAt = new Date().toISOString();
  return { spec, startedAt, state: "completed", local, remote, intervals: [], warnings: [], sameHost: true };
}

/** The same run as if it had had so many flows. */
export function withFlows(raw: Recording["raw"], flows: number): Recording["raw"] {
  const widen = <T extends EndReport>(end: T): T => ({ ...end, flows: widened(end.flows, flows) });
  return { ...raw, spec: { ...raw.spec, flows }, local: widen(raw.local), remote: widen(raw.remote) };
}

function widened(columns: EndReport["flows"], flows: number): EndReport["flows"] {
  const entries = Object.entries(columns) as [string, unknown[]][];
  return Object.fromEntries(
    entries.map(([name, column]) => [name, Array.from({ length: flows }, (_, flow) => column[flow % column.length])]),
  ) as EndReport["flows"];
}
