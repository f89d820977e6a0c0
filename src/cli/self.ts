/** `cnb-load` without a command: all tests against a server of its own on loopback. */
import type { RunOptions, TestName } from "../options/spec.js";
import { formatFlows } from "../report/describe.js";
import type { Result } from "../result/model.js";
import { checkJson } from "./destinations.js";
import { conclude } from "./conclude.js";
import type { Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { type JsonTarget, jsonTarget } from "./json-option.js";
import { LoopbackServer } from "./loopback-server.js";
import { type Measured, measure } from "./measure.js";
import { NOTHING_MEASURED, note, print, writeFileAtomically } from "./output.js";
import { allowedCpus, placeFlowPerCpu, placeOneFlow, type Places } from "./placement.js";
import { type ProgressOptions, startProgress } from "./progress.js";

const HOST = "127.0.0.1";
const TESTS: readonly TestName[] = ["tcp_stream", "tcp_rr", "tcp_crr"];
/** Of all windows together; with warm-up and set-up the whole takes about 15 s. */
const TOTAL_NS = 12e9;
const WARMUP_NS = 0.3e9;
/** Between two figures of the live line. */
const DEFAULT_INTERVAL = "500ms";

const EXPLANATION = `
Loopback shows what this host's CPUs and kernel can do with TCP when both ends share them, and that
cnb-load works here. It is good for comparing kernels, settings and CPUs. It says nothing of a
network: no card, driver, interrupt, wire or switch took part, and the CPU figures are the whole
host's, holding the work of client and server alike. To measure a network, run \`cnb-load server\` on
one host and \`cnb-load stream|rr|crr HOST\` on another.
`;

type Display = Pick<ProgressOptions, "lines" | "quiet">;

export async function selfCommand(values: Values): Promise<number> {
  const json = jsonTarget(values["json"]);
  await checkJson(json);
  const interval = values["interval"] as string | undefined;
  const display: Display = { quiet: values["quiet"] === true, lines: interval !== undefined };
  const results: Result[] = [];
  const problems: unknown[] = [];
  using interrupt = new Interrupt();
  try {
    await using server = await LoopbackServer.start(interrupt.signal);
    const runs = plan(allowedCpus(), server, interval ?? DEFAULT_INTERVAL);
    for (const { result, error } of await runAll(runs, interrupt.signal, display)) {
      // One that was interrupted before its window has no figures.
      if (result !== undefined && result.window.durationNs > 0) results.push(result);
      if (error !== undefined) problems.push(error);
    }
  } catch (error) {
    if (!interrupt.received) problems.push(error);
  }
  if (results.length > 0) await printAll(results, json).catch((failure: unknown) => problems.push(failure));
  else if (interrupt.received) note(NOTHING_MEASURED);
  return conclude(problems, interrupt);
}

/** Ends early with the first run that was interrupted or failed. */
async function runAll(runs: readonly RunOptions[], signal: AbortSignal, display: Display): Promise<Measured[]> {
  const outcomes: Measured[] = [];
  for (const [index, options] of runs.entries()) {
    const label = `${index + 1} of ${runs.length}: ${options.test}, ${formatFlows(options.flows ?? 1)}`;
    const progress = startProgress({ label, durationNs: TOTAL_NS / runs.length, ...display });
    const outcome = await measure(options, { signal }, progress);
    outcomes.push(outcome);
    if (outcome.error !== undefined || signal.aborted) break;
  }
  return outcomes;
}

function plan(cpus: readonly number[], { port, token }: LoopbackServer, interval: string): RunOptions[] {
  const rounds: { flows: number; places: Places | null }[] = [{ flows: 1, places: placeOneFlow(cpus) }];
  if (cpus.length > 1) rounds.push({ flows: cpus.length, places: placeFlowPerCpu(cpus) });
  const duration = `${TOTAL_NS / (rounds.length * TESTS.length)}ns`;
  return rounds.flatMap(({ flows, places }) =>
    TESTS.map((test) => ({
      ...{ test, host: HOST, port, token, flows, duration, warmup: `${WARMUP_NS}ns`, interval },
      ...places,
    })),
  );
}

async function printAll(results: readonly Result[], json: JsonTarget): Promise<void> {
  const { renderResultsJson } = await import("../report/json.js");
  const { renderOverview } = await import("../report/summary.js");
  if (json.to === "stdout") return print(renderResultsJson(results));
  await print(renderOverview(results) + EXPLANATION);
  if (json.to === "file") await writeFileAtomically(json.path, renderResultsJson(results));
}
