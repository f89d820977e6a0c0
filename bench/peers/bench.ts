/** All rows, all extras, in order; each is handed on as soon as it is there. */
import { OWN } from "./contenders/index.js";
import type { Environment } from "./environment.js";
import { type ExtraContext, type ExtraJob, explain } from "./extras/extra.js";
import { instructions } from "./extras/instructions.js";
import { manyFlows } from "./extras/many-flows.js";
import { recording } from "./extras/recording.js";
import { start } from "./extras/start.js";
import { syscalls } from "./extras/syscalls.js";
import { bestArguments, measure, settingOf } from "./measure.js";
import type { Contender, Row, RowResult, Sample } from "./model.js";
import type { Extra } from "./report.js";

export const EXTRAS: readonly ExtraJob[] = [instructions, recording, syscalls, start, manyFlows];

/** A contender that failed this often in one row is not tried again in it. */
const MAX_FAILURES = 2;

/** Interleaved: every round runs each contender once, every other one backwards, so that nobody always comes after the same one. */
export async function measureRow(asked: Row, environment: Environment, context: ExtraContext): Promise<RowResult> {
  const row = asked.best ? await withBest(asked) : asked;
  const rivals = context.peers.filter(({ name, can }) => row.peers.includes(name) && can(row.workload));
  const contenders = [OWN[row.own], ...rivals];
  const samples: Record<string, (Sample | null)[]> = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  const faults: string[] = [];
  for (let round = 0; round < context.pairs; round++) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      samples[contender.name]?.push(await sampleOf(contender));
    }
  }
  return { row, samples, faults };

  /** The options go into the title, so that the table names them. */
  async function withBest(from: Row): Promise<Row> {
    const chosen = await bestArguments(await settingOf(from, environment, context), environment, context.signal);
    return { ...from, ours: [...from.ours, ...chosen], title: `${from.title} (${chosen.join(" ")})` };
  }

  async function sampleOf(contender: Contender): Promise<Sample | null> {
    if (faults.filter((fault) => fault.startsWith(`${contender.name}: `)).length >= MAX_FAILURES) return null;
    try {
      const setting = await settingOf(row, environment, context);
      return await measure(contender, setting, environment, context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      faults.push(`${contender.name}: ${explain(error)}`);
      return null;
    }
  }
}

export async function runExtra({ id, title, run }: ExtraJob, context: ExtraContext): Promise<Extra> {
  try {
    return { id, title, ...(await run(context)) };
  } catch (error) {
    context.signal.throwIfAborted();
    return { id, title, facts: [], faults: [explain(error)] };
  }
}
