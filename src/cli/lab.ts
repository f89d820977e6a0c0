/** `cnb-load lab` and `cnb-load lab clean` */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  cleanUp,
  LAB_TESTS,
  type LabDocument,
  LabError,
  type LabOptions,
  type LabTest,
  PATHS,
  renderPage,
  runLab,
} from "../lab/index.js";
import { parseCpuList } from "../options/cpu-lists.js";
import { parseDuration } from "../options/durations.js";
import { nearest } from "../options/invalid.js";
import { invalidOption } from "../options/spec.js";
import { renderJson, renderResultsJson } from "../report/json.js";
import { checkJson } from "./destinations.js";
import { conclude } from "./conclude.js";
import { EXIT, UsageError } from "./exit-codes.js";
import type { Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { jsonTarget } from "./json-option.js";
import { NOTHING_MEASURED, note, OutputError, print, writeFileAtomically } from "./output.js";
import { allowedCpus } from "./placement.js";

/** Many short runs rather than few long ones: what others do on the machine meanwhile comes and goes. */
const QUICK = { runs: 5, durationNs: 250e6, warmupNs: 100e6 };
/** Leaves room for the melt-down within 5 minutes. */
const QUICK_BUDGET_NS = 170e9;
const FULL = { runs: 5, durationNs: 5e9, warmupNs: 1e9 };

/** Resolves with the exit code after everything was written; rejects for bad options. */
export async function labCommand(action: string | undefined, values: Values): Promise<number> {
  if (action === "clean") return await clean();
  if (action !== undefined) throw new UsageError(`lab: expected nothing or clean, got ${JSON.stringify(action)}`);
  const options = optionsOf(values);
  const json = jsonTarget(values["json"]);
  await checkJson(json);
  const quiet = values["quiet"] === true;
  const folder = typeof values["output"] === "string" ? values["output"] : defaultFolder();
  // Before minutes of measuring are lost to a folder that cannot be written.
  await makeFolder(folder);
  using interrupt = new Interrupt();
  const tell = (line: string): void => (quiet ? undefined : note(`${line}\n`));
  const command = ["cnb-load lab", ...process.argv.slice(3)].join(" ");
  const { document, files } = await runLab(options, command, { note: tell }, interrupt.signal).catch(asProblem);
  if (document.measurements.length === 0) return nothing(document, interrupt);
  const problems: unknown[] = [];
  const attempt = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      problems.push(error);
    });
  await attempt(save(document, files, folder));
  await attempt(renderPage(document, files).then((page) => writeFileAtomically(join(folder, "index.html"), page)));
  if (json.to === "stdout") await attempt(print(renderJson(document)));
  if (json.to === "file") await attempt(writeFileAtomically(json.path, renderJson(document)));
  if (!quiet) note(`results: ${folder}\n`);
  return conclude(problems, interrupt);
}

async function clean(): Promise<number> {
  const removed = await cleanUp();
  await print(
    removed.length === 0 ? "nothing to remove\n" : `${removed.map((name) => `removed ${name}`).join("\n")}\n`,
  );
  return EXIT.done;
}

function asProblem(error: unknown): never {
  throw error instanceof LabError ? new OutputError(error.message) : error;
}

function nothing({ paths }: LabDocument, interrupt: Interrupt): number {
  if (interrupt.received) note(NOTHING_MEASURED);
  else for (const { name, reason } of paths) note(`cnb-load: ${name}: ${reason ?? "not measured"}\n`);
  return interrupt.received ? EXIT.interrupted : EXIT.failed;
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new OutputError(`--output: cannot make ${folder}: ${error instanceof Error ? error.message : String(error)}`);
  });
}

/** The document, and each path's results as `cnb-load report` and `compare` read them. */
async function save(document: LabDocument, files: ReadonlyMap<string, string>, folder: string): Promise<void> {
  for (const [name, text] of files) await writeFileAtomically(join(folder, name), text);
  await writeFileAtomically(join(folder, "lab.json"), renderJson(document));
  for (const { name } of document.paths) {
    const results = document.measurements.filter(({ path }) => path === name).flatMap((one) => one.results);
    if (results.length === 0) continue;
    const about = { label: name, startedAt: document.startedAt };
    await writeFileAtomically(join(folder, `${name}.json`), renderResultsJson(results, about));
  }
}

function defaultFolder(): string {
  return `cnb-load-lab-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}Z`;
}

function optionsOf(values: Values): LabOptions {
  const preset = values["quick"] === true ? QUICK : FULL;
  const mtu = countOf(values, "mtu", 1500, 1280, 65_535);
  return {
    paths: listOf(
      values,
      "paths",
      PATHS.map(({ name }) => name),
    ),
    tests: listOf<LabTest>(values, "tests", LAB_TESTS),
    runs: countOf(values, "runs", preset.runs, 1, 1000),
    ...(preset === QUICK && values["runs"] === undefined && { budgetNs: QUICK_BUDGET_NS }),
    durationNs: timeOf(values, "duration", preset.durationNs, 10e6),
    warmupNs: timeOf(values, "warmup", preset.warmupNs, 0),
    flows: countOf(values, "flows", 32, 1, 10_000),
    ...{
      mtu,
      services: countOf(values, "services", 100, 0, 20_000),
      policies: countOf(values, "policies", 10, 0, 20_000),
    },
    cpus: cpusOf(values),
    meltdown: values["meltdown"] !== false,
    profile: values["profile"] === true,
  };
}

function countOf(values: Values, name: string, byDefault: number, least: number, most: number): number {
  const given = values[name];
  if (given === undefined) return byDefault;
  const count = typeof given === "string" && /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw invalidOption(`--${name}`, `a whole number from ${least} to ${most}`, given);
}

function timeOf(values: Values, name: string, byDefault: number, least: number): number {
  const given = values[name];
  if (given === undefined) return byDefault;
  const time = typeof given === "string" ? parseDuration(given) : undefined;
  if (time !== undefined && time >= least && time <= 3600e9) return time;
  throw invalidOption(`--${name}`, `a time such as 5s or 500ms, at least ${least / 1e6} ms and at most 1h`, given);
}

/** Names out of `known`, separated by commas; in the order of `known`, each once. */
function listOf<Name extends string>(values: Values, option: string, known: readonly Name[]): Name[] {
  const given = values[option];
  if (typeof given !== "string") return [...known];
  const names = given.split(",").map((name) => name.trim());
  for (const name of names) {
    if (known.some((one) => one === name)) continue;
    const meant = nearest(name, known);
    const hint = meant === undefined ? `expected some of ${known.join(",")}` : `did you mean ${meant}?`;
    throw new UsageError(`--${option}: unknown ${JSON.stringify(name)}; ${hint}`);
  }
  return known.filter((name) => names.includes(name));
}

function cpusOf(values: Values): number[] {
  const allowed = allowedCpus();
  const given = values["cpus"];
  if (given === undefined) return allowed.slice(0, 2);
  const list = typeof given === "string" ? parseCpuList(given) : undefined;
  if (list?.length === 2 && list.every((cpu) => allowed.includes(cpu))) return list;
  throw invalidOption("--cpus", "two CPUs that this process may use, such as 2,3", given);
}
