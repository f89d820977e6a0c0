/** `cnb-load stream HOST`, and the other tests' commands. */
import { formatDuration } from "../options/durations.js";
import { isRepeated, repetitionOf, wallTimeNs } from "../options/repetition.js";
import { type ResolvedSpec, type RunOptions, type TestName, resolveRunOptions } from "../options/spec.js";
import { accessTable, runTable } from "../options/table.js";
import { formatFlows } from "../report/describe.js";
import type { Result } from "../result/model.js";
import { conclude } from "./conclude.js";
import { checkJson } from "./destinations.js";
import { pickOptions, type Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { type JsonTarget, jsonTarget } from "./json-option.js";
import { NOTHING_MEASURED, note, print, writeFileAtomically } from "./output.js";
import { measure, type Measured } from "./measure.js";
import { EventLines, wantsEvents } from "./ndjson.js";
import { profileFolder } from "./profile-option.js";
import { startProgress } from "./progress.js";

/** Between two figures of the live line. */
const DEFAULT_INTERVAL = "1s";

/** Resolves with the exit code after everything was printed; rejects for bad options. */
export async function testCommand(test: TestName, host: string, values: Values): Promise<number> {
  const given = pickOptions(runTable, values);
  const access = pickOptions(accessTable, values);
  const options: RunOptions = { interval: DEFAULT_INTERVAL, ...given, ...access, test, host };
  const spec = resolveRunOptions(options, "cli");
  const quiet = values["quiet"] === true;
  const profile = await profileFolder(values);
  const json = jsonTarget(values["json"]);
  await checkJson(json);
  const events = wantsEvents(values["ndjson"], json) ? new EventLines() : undefined;
  const label = `${test} to ${spec.host}, ${formatFlows(spec.flows)}`;
  const lines = given["interval"] !== undefined;

  using interrupt = new Interrupt();
  if (isRepeated(spec) && !quiet) note(`${describeRepetition(spec)}\n`);
  events?.start(spec);
  const progress = events ?? startProgress({ label, durationNs: spec.durationNs, lines, quiet });
  const { result, error } = await measure(options, { signal: interrupt.signal, profile }, progress);
  const problems: unknown[] = error === undefined ? [] : [error];
  const printed = events === undefined ? printResult(result, json, quiet) : finishEvents(events, { result, error });
  await printed.then(() => saveResult(result, json)).catch((failure: unknown) => problems.push(failure));
  return conclude(problems, interrupt);
}

async function finishEvents(events: EventLines, { result, error }: Measured): Promise<void> {
  if (result !== undefined) events.result(result);
  if (error !== undefined) events.error(error);
  await events.flush();
}

async function saveResult(result: Result | undefined, json: JsonTarget): Promise<void> {
  if (result === undefined || json.to !== "file") return;
  const { renderJson } = await import("../report/json.js");
  await writeFileAtomically(json.path, renderJson(result));
}

/** What lies ahead: "5 runs, about 56s", or "3 to 30 runs until the mean is known to 2 %, about 34s to 5m36s". */
function describeRepetition(spec: ResolvedSpec): string {
  const { least, most } = repetitionOf(spec);
  const { leastNs, mostNs } = wallTimeNs(spec);
  const [short, long] = [leastNs, mostNs].map((ns) => formatDuration(Math.ceil(ns / 1e9) * 1e9));
  if (least === most) return `${most} runs, about ${long}`;
  return `${least} to ${most} runs until the mean is known to ${spec.untilCiPct} %, about ${short} to ${long}`;
}

async function printResult(result: Result | undefined, json: JsonTarget, quiet: boolean): Promise<void> {
  if (result === undefined) return;
  if (result.window.durationNs === 0 && json.to === "nowhere") {
    note(NOTHING_MEASURED);
    return;
  }
  const { renderText, renderWarnings } = await import("../report/text.js");
  if (json.to === "stdout") {
    const { renderJson } = await import("../report/json.js");
    await print(renderJson(result));
    if (!quiet) note(renderWarnings(result.warnings));
    return;
  }
  await print(renderText(result, { warnings: !quiet }));
}
