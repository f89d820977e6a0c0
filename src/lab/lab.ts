/** A lab from end to end: builds every path, measures them in turn, takes everything down. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CnbLoadError } from "../index.js";
import { type Cell, type LabDocument, type LabOptions, type Measurement, type PathReport } from "./document.js";
import { describeEnvironment } from "./environment.js";
import { reasonOf } from "./lab-error.js";
import { measureMeltdown } from "./meltdown.js";
import { Namespaces, removeLeftovers } from "./namespaces.js";
import type { Path } from "./path.js";
import { PATHS } from "./paths/index.js";
import { placeNodes } from "./placement.js";
import { type Files, profileAll } from "./profile.js";
import { type Ground, Stand } from "./stand.js";
import { IP, missing, TASKSET } from "./tools.js";

export interface LabHooks {
  /** One line of progress. */
  note: (line: string) => void;
}

export interface LabOutcome {
  document: LabDocument;
  /** Flame graphs, by the names that the document has for them. */
  files: Files;
}

/** Rejects with ERR_PLATFORM where this machine cannot have a lab at all. */
async function checkMachine(): Promise<void> {
  if (process.getuid?.() !== 0) throw new CnbLoadError("ERR_PLATFORM", "lab: making network namespaces needs root");
  const lacking = await missing([IP, TASKSET]);
  if (lacking !== undefined) throw new CnbLoadError("ERR_PLATFORM", `lab: install ${lacking} first`);
}

/** Removes what labs left that are no more; gives the names of their namespaces. Rejects as a lab does. */
export async function cleanUp(): Promise<string[]> {
  await checkMachine();
  return removeLeftovers();
}

/** Cubic, whatever the host was set to: BBR would pace, and measure itself. It cannot be made a namespace's default everywhere. */
async function plainCongestionControl(): Promise<string | undefined> {
  const known = await readFile("/proc/sys/net/ipv4/tcp_available_congestion_control", "utf8").catch(() => "");
  return known.split(/\s+/).includes("cubic") ? "cubic" : undefined;
}

/** Every test with 1 and with N flows. */
export function cellsOf({ tests, flows }: Pick<LabOptions, "tests" | "flows">): Cell[] {
  const counts = flows === 1 ? [1] : [1, flows];
  return tests.flatMap((test) => counts.map((count) => ({ test, flows: count })));
}

/** The paths of a round in another order each time, so that none always follows the same one. */
export function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/**
 * Resolves with all that was measured; after an abort with what was measured until then, `state: "aborted"`. Whatever happens,
 * namespaces and processes are gone when it settles.
 */
export async function runLab(
  options: LabOptions,
  command: string,
  { note }: LabHooks,
  signal: AbortSignal,
): Promise<LabOutcome> {
  const startedMs = performance.now();
  await checkMachine();
  const left = removeLeftovers();
  if (left.length > 0) note(`removed ${left.length} namespaces and folders that an earlier lab left`);
  const placement = placeNodes(options.cpus);
  const document: LabDocument = {
    schema: "cnb-load/lab/1",
    state: "completed",
    startedAt: new Date().toISOString(),
    ...{ command, options, placement, environment: await describeEnvironment() },
    ...{ paths: [], measurements: [], flameGraphs: [] },
  };
  using namespaces = new Namespaces();
  const folder = await mkdtemp(join(tmpdir(), `${namespaces.prefix}-`));
  const stands: Stand[] = [];
  const files: Files = new Map();
  try {
    const congestion = await plainCongestionControl();
    await buildAll({ namespaces, cpus: placement, options, congestion, folder }, document, stands, note, signal);
    await measureAll(stands, document, startedMs, note, signal);
    if (options.meltdown && !signal.aborted) await addMeltdown(stands, document, note, signal);
    if (options.profile && !signal.aborted) await profileAll(stands, document, folder, files, note, signal);
  } finally {
    for (const stand of stands) await stand[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
  if (signal.aborted) document.state = "aborted";
  settleStates(document);
  return { document, files };
}

async function buildAll(
  ground: Ground,
  document: LabDocument,
  stands: Stand[],
  note: LabHooks["note"],
  signal: AbortSignal,
): Promise<void> {
  for (const path of PATHS.filter(({ name }) => ground.options.paths.includes(name))) {
    if (signal.aborted) break;
    const report = reportOf(path);
    document.paths.push(report);
    const stand = await buildOne(path, ground, report);
    if (stand !== undefined) stands.push(stand);
    note(
      `${path.name}: ${report.reason ?? ["stands", ...(report.variant === undefined ? [] : [report.variant])].join(", ")}`,
    );
  }
}

function reportOf({ name, models, builds, differs, encrypts }: Path): PathReport {
  return { name, models, builds, differs, ...(encrypts && { encrypts }), state: "measured", evidence: [] };
}

/** A path that fails is told of in its report, and the others go on. */
async function buildOne(path: Path, ground: Ground, report: PathReport): Promise<Stand | undefined> {
  const lacking = await missing(path.needs);
  if (lacking !== undefined) {
    report.state = "unavailable";
    report.reason = `not available here: install ${lacking}`;
    return undefined;
  }
  let stand: Stand | undefined;
  try {
    stand = await Stand.build(path, ground);
    if (stand.built.variant !== undefined) report.variant = stand.built.variant;
    report.evidence = await stand.verify();
    await stand.built.reset?.();
    return stand;
  } catch (error) {
    await stand?.[Symbol.asyncDispose]();
    report.state = "failed";
    report.reason = `failed: ${reasonOf(error)}`;
    return undefined;
  }
}

async function measureAll(
  stands: readonly Stand[],
  { options, measurements, paths }: LabDocument,
  startedMs: number,
  note: LabHooks["note"],
  signal: AbortSignal,
): Promise<void> {
  const cells = cellsOf(options);
  const budgetMs = (options.budgetNs ?? Infinity) / 1e6;
  const began = performance.now();
  for (let round = 0; round < options.runs; round++) {
    const each = (performance.now() - began) / round;
    if (round >= 2 && performance.now() + each - startedMs > budgetMs) return;
    for (const cell of cells) {
      const title = `run ${round + 1} of ${options.runs}, ${cell.test}, ${cell.flows} ${cell.flows === 1 ? "flow" : "flows"}`;
      note(title);
      for (const stand of rotated(stands, round)) {
        if (signal.aborted) return;
        const report = paths.find(({ name }) => name === stand.path.name);
        try {
          const result = await stand.measure(cell, options, signal);
          await stand.built.reset?.();
          if (result.state === "completed")
            keep(measurements, { path: stand.path.name, ...cell, results: [result], rounds: [round] });
        } catch (error) {
          const reason = `${title}: ${reasonOf(error)}`;
          note(`${stand.path.name}: ${reason}`);
          if (report !== undefined) Object.assign(report, { state: "partly", reason });
        }
      }
    }
  }
}

/** What was built and has no result, all the same: every run failed, or there was none before the interruption. */
function settleStates({ paths, measurements }: LabDocument): void {
  for (const report of paths) {
    if (report.state === "unavailable" || measurements.some(({ path }) => path === report.name)) continue;
    report.state = "failed";
    report.reason ??= "interrupted before it was measured";
  }
}

function keep(measurements: Measurement[], made: Measurement): void {
  const { path, test, flows } = made;
  const same = measurements.find((one) => one.path === path && one.test === test && one.flows === flows);
  if (same === undefined) {
    measurements.push(made);
  } else {
    same.results.push(...made.results);
    same.rounds.push(...made.rounds);
  }
}

async function addMeltdown(
  stands: readonly Stand[],
  document: LabDocument,
  note: LabHooks["note"],
  signal: AbortSignal,
): Promise<void> {
  try {
    const found = await measureMeltdown(stands, document.options, note, signal);
    if (found !== undefined) document.meltdown = found;
  } catch (error) {
    document.meltdownProblem = reasonOf(error);
    note(`conntrack melt-down: ${document.meltdownProblem}`);
  }
}
