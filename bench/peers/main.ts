/** `npm run bench:peers`: cnb-load side by side with the load generators that are on PATH. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ROOT } from "../shared/paths.js";
import { EXTRAS, measureRow, runExtra } from "./bench.js";
import { PEERS } from "./contenders/index.js";
import { type Environment, LOOPBACK, makeVeth, removeVeth } from "./environment.js";
import { type ExtraContext, explain } from "./extras/extra.js";
import { type Machine, chooseCpus, describeMachine, machineLines } from "./machine.js";
import type { Contender, Row, RowResult } from "./model.js";
import { type Options, USAGE, UsageError, parseOptions } from "./options.js";
import { killAll, workIn } from "./process.js";
import { type Extra, extraAsMarkdown, extraAsText, replaceBetweenMarks, rowsAsMarkdown, rowsAsText } from "./report.js";
import { ROWS } from "./rows.js";
import { buildBareLoop, buildMeter, onPath } from "./tools.js";

const DOCS = `${ROOT}docs/performance.md`;

/** What the JSON file holds. */
interface Saved {
  schema: "cnb-load/bench-peers/1";
  startedAt: string;
  arguments: string[];
  pairs: number;
  seconds: number;
  machine: Machine;
  /** What this machine lacks, one line each. */
  missing: string[];
  rows: RowResult[];
  extras: Extra[];
}

const note = (text: string): void => void process.stderr.write(`${text}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

function findPeers(missing: string[]): Contender[] {
  return PEERS.filter(({ name, programs }) => {
    const absent = [...new Set((["rr", "crr", "stream"] as const).flatMap(programs))].filter((one) => !onPath(one));
    if (absent.length > 0) missing.push(`${name}: ${absent.join(", ")} not on PATH`);
    return absent.length === 0;
  });
}

/** The rows that this machine can carry. */
function chooseRows({ quick, rows }: Options, oneCpu: boolean, missing: string[]): Row[] {
  const wanted = ROWS.filter((row) => rows.test(row.id) && (row.quick || !quick));
  if (!oneCpu) return wanted;
  missing.push("rows with CPUs apart: there is one CPU only");
  return wanted.filter(({ pinning }) => pinning !== "apart");
}

function makeEnvironments(rows: readonly Row[], missing: string[]): Map<string, Environment> {
  const environments = new Map([["loopback", LOOPBACK]]);
  if (rows.every(({ where }) => where === "loopback")) return environments;
  const veth = makeVeth();
  if (typeof veth === "string") missing.push(`rows over a veth pair: ${veth}`);
  else environments.set("veth", veth);
  return environments;
}

function save(saved: Saved, path: string): void {
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(saved, null, 1)}\n`);
}

function markdown({ startedAt, machine, pairs, seconds, rows, extras, missing }: Saved): string {
  const lacking = missing.length === 0 ? [] : ["Left out: " + missing.join("; ") + "."];
  return [
    `Measured ${startedAt.slice(0, 10)}: ${pairs} interleaved rounds per row, ${seconds} s per run.`,
    machineLines(machine)
      .map((line) => `- ${line}`)
      .join("\n"),
    ...lacking,
    ...(rows.length === 0 ? [] : [rowsAsMarkdown(rows)]),
    ...extras.filter(({ facts }) => facts.length > 0).map(extraAsMarkdown),
  ].join("\n\n");
}

async function runAll(options: Options, saved: Saved, context: ExtraContext): Promise<void> {
  const rows = chooseRows(options, context.cpus.server === undefined, saved.missing);
  const environments = makeEnvironments(rows, saved.missing);
  const extras = EXTRAS.filter(({ id }) => options.rows.test(id));
  for (const line of machineLines(saved.machine)) note(line);
  for (const line of saved.missing) note(`left out: ${line}`);
  const total = rows.length + extras.length;
  const announce = (index: number, id: string): void => note(`[${index + 1} of ${total}] ${id}`);
  for (const [index, row] of rows.entries()) {
    const environment = environments.get(row.where);
    if (environment === undefined) continue;
    announce(index, row.id);
    const result = await measureRow(row, environment, context);
    saved.rows.push(result);
    save(saved, options.json);
    for (const fault of result.faults) note(`  failed: ${fault}`);
    print(`${rowsAsText([result])}\n`);
  }
  for (const [index, job] of extras.entries()) {
    announce(rows.length + index, job.id);
    const extra = await runExtra(job, context);
    saved.extras.push(extra);
    save(saved, options.json);
    for (const fault of extra.faults) note(`  failed: ${fault}`);
    if (extra.facts.length > 0) print(`${extraAsText(extra)}\n`);
  }
}

function conclude(options: Options, saved: Saved): void {
  if (saved.rows.length > 0) print(rowsAsText(saved.rows));
  for (const extra of saved.extras) if (extra.facts.length > 0) print(`\n${extraAsText(extra)}`);
  note(`samples: ${resolve(options.json)}`);
  if (!options.docs) return;
  writeFileSync(DOCS, replaceBetweenMarks(readFileSync(DOCS, "utf8"), markdown(saved)));
  note(`tables: ${DOCS}`);
}

/** Resolves with the exit code. */
async function main(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === null) {
    print(USAGE);
    return 0;
  }
  if (options.list) {
    print([...ROWS, ...EXTRAS].map(({ id }) => id).join("\n"));
    return 0;
  }
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupt.abort(signal));
  const directory = mkdtempSync(join(tmpdir(), "cnb-bench-"));
  process.on("exit", () => {
    killAll();
    removeVeth();
    rmSync(directory, { recursive: true, force: true });
  });
  workIn(directory);
  buildMeter();
  buildBareLoop();
  const missing: string[] = [];
  const peers = findPeers(missing);
  const machine = describeMachine(peers, directory);
  const { pairs, seconds, quick } = options;
  const context = {
    ...{ pairs, seconds, quick, peers, directory },
    cpus: chooseCpus(),
    cpuCount: machine.cpus,
    signal: interrupt.signal,
  };
  const saved: Saved = {
    schema: "cnb-load/bench-peers/1",
    startedAt: new Date().toISOString(),
    arguments: args,
    ...{ pairs, seconds, machine, missing, rows: [], extras: [] },
  };
  try {
    await runAll(options, saved, context);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    note(`interrupted by ${String(interrupt.signal.reason)}; samples so far: ${resolve(options.json)}`);
    return 130;
  }
  conclude(options, saved);
  return [...saved.rows, ...saved.extras].some(({ faults }) => faults.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  note(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : `bench:peers: ${explain(error)}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
