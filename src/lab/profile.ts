/** Flame graphs of every path: perf samples both nodes' CPUs while a run's window is open. */
import { join } from "node:path";
import { flameSvg, foldedText, Folder, samplesOf, speedscope } from "../profile/flame.js";
import type { Cell, FlameGraph, LabDocument, LabOptions } from "./document.js";
import { LabError, reasonOf } from "./lab-error.js";
import { isAttributed } from "./placement.js";
import { shell } from "./shell.js";
import type { Stand } from "./stand.js";
import { missing, program } from "./tools.js";

const PERF = program("perf", "linux-perf");
const HERTZ = 997;
/** How long perf samples at most; the run around it is longer. */
const MOST_NS = 2e9;

export type Files = Map<string, string>;

/** A timer of the CPU's time rather than its cycles, which virtual machines do not always count. */
const record = (cpus: string, file: string, seconds: number): readonly string[] => [
  ...["perf", "record", "-q", "-a", "-C", cpus, "-F", String(HERTZ), "-g", "-e", "cpu-clock", "-o", file],
  ...["--", "sleep", seconds.toFixed(2)],
];

/** Adds graphs to the document and their files to `files`; what stands in the way is told in the document. */
export async function profileAll(
  stands: readonly Stand[],
  document: LabDocument,
  folder: string,
  files: Files,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { options, placement } = document;
  const lacking = await missing([PERF]);
  try {
    if (lacking !== undefined) throw new LabError(`not available here: install ${lacking}`);
    if (!isAttributed(placement))
      throw new LabError("not available with a single CPU: the two nodes cannot be told apart");
    for (const test of options.tests) {
      const cell: Cell = { test, flows: options.flows };
      note(`flame graphs, ${test}`);
      for (const stand of stands) {
        if (signal.aborted) return;
        await profileOne(stand, cell, document, folder, files, signal);
      }
    }
  } catch (error) {
    if (!signal.aborted) document.profileProblem = `Not recorded: ${reasonOf(error)}`;
  }
}

async function profileOne(
  stand: Stand,
  cell: Cell,
  { options, placement, flameGraphs }: LabDocument,
  folder: string,
  files: Files,
  signal: AbortSignal,
): Promise<void> {
  const data = join(folder, "perf.data");
  const sampledNs = Math.min(MOST_NS, options.durationNs);
  const words = record(`${placement.client ?? ""},${placement.server ?? ""}`, data, sampledNs / 1e9);
  // perf needs a moment before it samples and one after; the window is open all the while.
  const around: LabOptions = { ...options, durationNs: sampledNs + 1.5e9 };
  let recording: Promise<unknown> = Promise.reject(new LabError("the window did not open"));
  recording.catch(() => undefined);
  await stand.measure(cell, around, signal, () => {
    recording = shell(words, { timeoutMs: 30_000 });
    recording.catch(() => undefined);
  });
  await recording;
  await stand.built.reset?.();
  const text = await shell(["perf", "script", "-i", data, "-F", "comm,cpu,ip,sym", "--no-inline"], {
    timeoutMs: 60_000,
  });
  const stacks = new Folder();
  for (const line of text.split("\n")) stacks.add(line);
  stacks.end();
  for (const side of ["client", "server"] as const) {
    const folded = stacks.byCpu.get(placement[side] ?? -1) ?? new Map<string, number>();
    const title = `${stand.path.name}, ${cell.test} with ${cell.flows} flows, ${side} node`;
    const name = `flame-${stand.path.name}-${cell.test}-${side}`;
    const graph: FlameGraph = {
      ...{ path: stand.path.name, cell, side, samples: samplesOf(folded) },
      ...{ svg: `${name}.svg`, folded: `${name}.folded.txt`, speedscope: `${name}.speedscope.json` },
    };
    files.set(graph.svg, flameSvg(folded, title));
    files.set(graph.folded, foldedText(folded));
    files.set(graph.speedscope, speedscope(folded, title));
    flameGraphs.push(graph);
  }
}
