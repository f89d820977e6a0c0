/** `cnb-load suite HOST` */
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { parseCpuList } from "../options/cpu-lists.js";
import { parseDuration } from "../options/durations.js";
import { expectedText, parseValue } from "../options/kinds.js";
import { type RunOptions, invalidOption } from "../options/spec.js";
import { accessTable, runTable } from "../options/table.js";
import { type ResultsDocument, parseResults } from "../result/documents.js";
import type { Result } from "../result/model.js";
import { type Matrix, parseMatrix } from "../suite/matrix.js";
import { notationOf } from "../suite/notation.js";
import { type PlannedRun, findCompleted, planRuns, settleNs } from "../suite/plan.js";
import { PRESETS, type PresetName, presetMatrix } from "../suite/presets.js";
import { conclude } from "./conclude.js";
import { checkFile } from "./destinations.js";
import { EXIT, UsageError, errorLine, exitCodeOf } from "./exit-codes.js";
import { pickOptions, type Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { type Measured, measure } from "./measure.js";
import { NOTHING_MEASURED, note, print, writeFileAtomically } from "./output.js";
import { allowedCpus } from "./placement.js";
import { type SuiteProgress, suiteProgress } from "./suite-progress.js";

const MAX_LABEL = 200;

interface Suite {
  plan: readonly PlannedRun[];
  /** By index in the plan; undefined until it is there. */
  results: (Result | undefined)[];
  about: Required<Pick<ResultsDocument, "startedAt" | "matrix">> & { label?: string };
  file: string;
  /** Between runs, whatever they are; null = only where TIME_WAIT needs it. */
  settle: number | null;
  quiet: boolean;
  /** Who asks for the runs; no part of what is run, nor of the file. */
  access: Partial<RunOptions>;
}

/** Resolves with the exit code after everything was printed; rejects for bad options. */
export async function suiteCommand(host: string, values: Values): Promise<number> {
  const suite = await prepare(host, values);
  // Before the first minute of measuring is lost to a folder that cannot be written.
  await save(suite);
  using interrupt = new Interrupt();
  const problems = await runAll(suite, interrupt.signal);
  const results = suite.results.filter((result) => result !== undefined);
  if (results.length === 0 && interrupt.received) note(NOTHING_MEASURED);
  if (results.length > 0) await printTable(results).catch((error: unknown) => problems.push(error));
  const left = suite.plan.length - results.filter(({ state }) => state === "completed").length;
  if (!suite.quiet)
    note(left === 0 ? `results: ${suite.file}\n` : `${left} left; resume with --output ${suite.file}\n`);
  return conclude(problems, interrupt);
}

async function prepare(host: string, values: Values): Promise<Suite> {
  const { label, output, settle } = values as Partial<Record<string, string>>;
  if (label !== undefined && (label === "" || label.length > MAX_LABEL)) {
    throw invalidOption("--label", `a text of 1 to ${MAX_LABEL} characters`, label);
  }
  const settleTime = settle === undefined ? null : parseDuration(settle);
  if (settleTime === undefined) throw invalidOption("--settle", "a time such as 5s, 500ms or 1m30s", settle);
  const given = pickOptions(runTable, values);
  const matrix = await chooseMatrix(values, given);
  const plan = planRuns(matrix, host, given);
  const startedAt = new Date().toISOString();
  const saved = output === undefined ? undefined : await readSaved(output);
  const file = output ?? defaultFile(label ?? host, startedAt);
  await checkFile("--output", file);
  const results = saved === undefined ? plan.map(() => undefined) : findCompleted(plan, saved, file, label);
  const name = label ?? saved?.label;
  const about = {
    ...(name !== undefined && { label: name }),
    startedAt: saved?.startedAt ?? startedAt,
    matrix: { name: matrix.name, runs: plan.map(({ spec }) => spec) },
  };
  return {
    plan,
    results,
    about,
    file,
    settle: settleTime,
    quiet: values["quiet"] === true,
    access: pickOptions(accessTable, values),
  };
}

/** Of a preset, --flows is N of its rounds and thus no option of every run: it is taken out of `given`. */
async function chooseMatrix(values: Values, given: Record<string, unknown>): Promise<Matrix> {
  const { preset, matrix } = values as Partial<Record<string, string>>;
  if (matrix !== undefined) {
    if (preset !== undefined) throw new UsageError("--preset and --matrix exclude each other");
    return parseMatrix(await readText(matrix, "--matrix"), matrix, await notationOf(matrix));
  }
  const name = (preset ?? "cni") as PresetName;
  if (!PRESETS.includes(name)) throw invalidOption("--preset", `one of ${PRESETS.join(", ")}`, preset);
  const { flows, cpus } = given;
  if (flows === undefined) {
    const pinned = typeof cpus === "string" ? parseCpuList(cpus) : undefined;
    return presetMatrix(name, Math.max(1, (pinned ?? allowedCpus()).length));
  }
  delete given["flows"];
  const count = parseValue(runTable.flows, flows);
  if (typeof count !== "number") throw invalidOption("--flows", expectedText(runTable.flows), flows);
  return presetMatrix(name, count);
}

async function readText(path: string, option: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What an earlier suite left in the file; undefined where there is none. */
async function readSaved(path: string): Promise<ResultsDocument | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new UsageError(`--output: cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  });
  return text === undefined ? undefined : parseResults(text, path);
}

/** In the current folder; to the second, so that no two suites meet in one file. */
function defaultFile(name: string, startedAt: string): string {
  const plain = name.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 80);
  return `cnb-load-suite-${plain}-${startedAt.slice(0, 19).replaceAll(":", "")}Z.json`;
}

/** Makes every run that is left; gives the problems. Ends early where the server cannot be had or on an interruption. */
async function runAll(suite: Suite, signal: AbortSignal): Promise<unknown[]> {
  const { plan, results, quiet, access } = suite;
  const waiting = [...plan.keys()].filter((index) => results[index] === undefined);
  const skipped = plan.length - waiting.length;
  if (skipped > 0 && !quiet) note(`${skipped} of ${plan.length} runs are in ${suite.file} already and are skipped\n`);
  const progress = suiteProgress(plan, waiting, quiet);
  const problems: unknown[] = [];
  let unsaved: unknown;
  for (const [position, index] of waiting.entries()) {
    await settle(suite, waiting[position - 1], index, progress, signal);
    if (signal.aborted) break;
    const outcome = await measure(
      { ...(plan[index] as PlannedRun).options, ...access },
      { signal },
      progress.start(index),
    );
    progress.finish(outcome);
    unsaved = await keep(suite, index, outcome, unsaved);
    if (outcome.error === undefined) continue;
    problems.push(outcome.error);
    // Unreachable, refused or misused: the other runs would fare no better.
    if (exitCodeOf(outcome.error) !== EXIT.failed) break;
  }
  return unsaved === undefined ? problems : [...problems, unsaved];
}

/** Puts a result into the file; gives what stands in the way of that, told once. The next run's attempt writes this one as well. */
async function keep(suite: Suite, index: number, { result }: Measured, unsaved: unknown): Promise<unknown> {
  if (result === undefined || result.state === "aborted") return unsaved;
  suite.results[index] = result;
  try {
    await save(suite);
    return undefined;
  } catch (error) {
    if (unsaved === undefined)
      note(`cnb-load: ${errorLine(error)}; the runs go on, and the table is printed at the end\n`);
    return error;
  }
}

async function save({ file, results, about }: Suite): Promise<void> {
  const { renderResultsJson } = await import("../report/json.js");
  const present = results.filter((result) => result !== undefined);
  await writeFileAtomically(file, renderResultsJson(present, about));
}

async function settle(
  { plan, settle }: Suite,
  previous: number | undefined,
  next: number,
  progress: SuiteProgress,
  signal: AbortSignal,
): Promise<void> {
  if (previous === undefined) return;
  const timestamps = await readFile("/proc/sys/net/ipv4/tcp_timestamps", "utf8").catch(() => "1");
  const [before, after] = [plan[previous] as PlannedRun, plan[next] as PlannedRun];
  const ns = settle ?? settleNs(before.spec, after.spec, timestamps.trim() !== "0");
  if (ns === 0) return;
  progress.pause(ns);
  await pause(ns / 1e6, undefined, { signal }).catch(() => undefined);
}

async function printTable(results: readonly Result[]): Promise<void> {
  const { renderOverview } = await import("../report/summary.js");
  await print(renderOverview(results));
}
