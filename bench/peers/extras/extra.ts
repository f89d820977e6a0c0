import type { Bench } from "../measure.js";
import type { Contender } from "../model.js";
import type { Extra, Fact } from "../report.js";
import { summarize } from "../stats.js";

export interface ExtraContext extends Bench {
  pairs: number;
  quick: boolean;
  /** Peers on PATH. */
  peers: readonly Contender[];
  /** For files that are gone when the bench ends. */
  directory: string;
}

/** Something measured beside the rows. Faults of its own it collects; anything that it throws is one, too. */
export interface ExtraJob {
  id: string;
  title: string;
  run: (context: ExtraContext) => Promise<Pick<Extra, "facts" | "faults">>;
}

/** A fact, or none where there are no values. */
export function fact(what: string, who: string, unit: Fact["unit"], values: readonly number[]): Fact[] {
  const summary = summarize(values);
  return summary === undefined ? [] : [{ what, who, summary, unit }];
}

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
