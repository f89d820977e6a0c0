/** One run of one contender, both ends from start to end. */
import { setTimeout as delay } from "node:timers/promises";
import type { Result } from "../../dist/index.js";
import { argumentsOf } from "../../dist/report/best.js";
import { cnbLoad } from "./contenders/cnb-load.js";
import { type Environment, freePorts } from "./environment.js";
import type { Contender, Row, Sample, Setting } from "./model.js";
import { Subprocess } from "./process.js";

/** What all runs of a bench have in common. */
export interface Bench {
  seconds: number;
  /** CPUs of the two ends when they are apart; with one CPU there is no `server`. */
  cpus: { client: number; server: number | undefined };
  cpuCount: number;
  signal: AbortSignal;
}

/** Start-up, warm-up and the end, beside the seconds that are measured. */
const SLACK_MS = 30_000;
/** For the probes of `--best`. */
const BEST_MS = 120_000;
/** Servers that serve once get this long to end of their own accord. */
const OWN_END_MS = 2_000;
/** When CPU time and memory are looked at, as shares of the run: every contender's traffic is flowing at both moments. */
const LOOKS = [0.5, 0.95] as const;

export async function settingOf(row: Row, { host }: Environment, bench: Bench): Promise<Setting> {
  const { client, server } = bench.cpus;
  const cpus = row.pinning === "free" ? null : { client, server: row.pinning === "same" ? client : (server ?? client) };
  const { workload, ours, best } = row;
  return {
    workload,
    ours,
    best,
    seconds: bench.seconds,
    host,
    ports: await freePorts(),
    cpus,
    cpuCount: bench.cpuCount,
  };
}

export async function measure(
  contender: Contender,
  setting: Setting,
  { namespaces }: Environment,
  signal: AbortSignal,
): Promise<Sample> {
  const cpuOf = (end: "client" | "server"): number | undefined =>
    contender.pinsItself ? undefined : setting.cpus?.[end];
  const server = new Subprocess({
    argv: contender.server(setting),
    namespace: namespaces?.server,
    cpu: cpuOf("server"),
  });
  const looking = new AbortController();
  try {
    await server.listening(setting.ports[0]);
    const client = new Subprocess({
      ...contender.client(setting),
      namespace: namespaces?.client,
      cpu: cpuOf("client"),
    });
    const middle = watch({ client, server }, setting.seconds, contender.leadMs ?? 0, looking.signal);
    // Where the client fails, that is what is reported.
    middle.catch(() => undefined);
    const { stdout, usage } = await client.finish(setting.seconds * 1000 + SLACK_MS, signal).finally(async () => {
      looking.abort();
      await client.stop(0);
    });
    if (contender.servesOnce) await Promise.race([server.ended, delay(OWN_END_MS)]);
    const served = await server.stop();
    const { busyCores, serverPeakBytes } = await middle;
    if (usage === undefined || served.usage === undefined) throw new Error("the meter did not report");
    const total = ({ userSeconds, systemSeconds }: typeof usage): number => userSeconds + systemSeconds;
    return {
      ...contender.read(stdout, setting),
      cpuSeconds: { client: total(usage), server: total(served.usage) },
      busyCores,
      // wait4(2) tells of a server's own children the largest only.
      peakBytes: { client: usage.peakBytes, server: Math.max(served.usage.peakBytes, serverPeakBytes) },
    };
  } finally {
    await server.stop();
  }
}

/** What `--best` chooses in this setting, as arguments. */
export async function bestArguments(
  setting: Setting,
  { namespaces }: Environment,
  signal: AbortSignal,
): Promise<string[]> {
  const server = new Subprocess({ argv: cnbLoad.server(setting), namespace: namespaces?.server });
  try {
    await server.listening(setting.ports[0]);
    const { argv } = cnbLoad.client(setting);
    const client = new Subprocess({ argv: [...argv, "--best"], namespace: namespaces?.client });
    const { stdout } = await client.finish(BEST_MS, signal).finally(() => client.stop(0));
    const { best } = JSON.parse(stdout) as Result;
    return argumentsOf(best?.chosen ?? {});
  } finally {
    await server.stop();
  }
}

/** Looks twice; rejects where the run was too short for that. */
async function watch(
  ends: Record<"client" | "server", Subprocess>,
  seconds: number,
  leadMs: number,
  signal: AbortSignal,
): Promise<{ busyCores: Sample["busyCores"]; serverPeakBytes: number }> {
  const look = async (share: number) => {
    const at = ends.client.startedMs + leadMs + share * seconds * 1000;
    await delay(at - performance.now(), undefined, { signal });
    return { client: ends.client.soFar(), server: ends.server.soFar() };
  };
  const from = await look(LOOKS[0]);
  const to = await look(LOOKS[1]);
  const cores = (end: "client" | "server"): number =>
    ((to[end].cpuSeconds - from[end].cpuSeconds) * 1000) / (to[end].atMs - from[end].atMs);
  return { busyCores: { client: cores("client"), server: cores("server") }, serverPeakBytes: to.server.peakBytes };
}
