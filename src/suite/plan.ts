/** What a suite is going to do: every run resolved, what is in its file already, pauses, and the time that is left. */
import { isDeepStrictEqual } from "node:util";
import { CnbLoadError } from "../errors.js";
import { expectedText, parseValue } from "../options/kinds.js";
import { TESTS, appliesTo, flagOf } from "../options/names.js";
import type { Row } from "../options/row.js";
import {
  type ResolvedSpec,
  type RunOptions,
  conflictingOption,
  invalidOption,
  makesConnections,
  resolveRunOptions,
} from "../options/spec.js";
import { runTable } from "../options/table.js";
import type { ResultsDocument } from "../result/documents.js";
import type { Result } from "../result/model.js";
import { type Matrix, applicable } from "./matrix.js";

export interface PlannedRun {
  options: RunOptions;
  spec: ResolvedSpec;
}

/** TCP_TIMEWAIT_LEN of the kernel (include/net/tcp.h), and a second. */
const TIME_WAIT_NS = 61e9;

/**
 * Every run of a matrix against one server. `overrides` are options that the command line gives; each goes to those runs whose test takes
 * it. Throws ERR_INVALID_OPTION.
 */
export function planRuns(matrix: Matrix, host: string, overrides: Record<string, unknown>): PlannedRun[] {
  for (const [key, value] of Object.entries(overrides))
    checkOverride(runTable[key as keyof typeof runTable], value, matrix);
  // A wrong host is no fault of the matrix' first run.
  resolveRunOptions({ test: "tcp_rr", host }, "cli");
  return matrix.runs.map(({ options, source }) => {
    const merged: RunOptions = { ...options, ...applicable(overrides, options.test), host };
    try {
      return { options: merged, spec: resolveRunOptions(merged, source === undefined ? "cli" : "api") };
    } catch (error) {
      if (!(error instanceof CnbLoadError) || source === undefined) throw error;
      throw new CnbLoadError(error.code, `${source}.${error.message}`, { cause: error });
    }
  });
}

function checkOverride(row: Row, value: unknown, { runs }: Matrix): void {
  if (parseValue(row, value) === undefined) throw invalidOption(flagOf(row), expectedText(row), value);
  if (runs.some(({ options }) => appliesTo(row, TESTS[options.test]))) return;
  throw conflictingOption(flagOf(row), `applies only to ${row.commands.join(", ")}, and this matrix has none of them`);
}

/**
 * The completed result of each planned run that a document holds already, undefined where it is still to be made. Throws
 * ERR_INVALID_OPTION where the document is of something else, so that nothing of it is lost.
 */
export function findCompleted(
  plan: readonly PlannedRun[],
  saved: ResultsDocument,
  file: string,
  label: string | undefined,
): (Result | undefined)[] {
  if (label !== undefined && saved.label !== undefined && saved.label !== label) {
    const labels = `${JSON.stringify(saved.label)}, not ${JSON.stringify(label)}`;
    throw refuse(file, `it holds results of ${labels}`);
  }
  const left = [...saved.results];
  const found = plan.map(({ spec }) => {
    const at = left.findIndex((result) => result.state === "completed" && isDeepStrictEqual(result.spec, spec));
    return at < 0 ? undefined : left.splice(at, 1)[0];
  });
  const [foreign] = left.filter(({ spec }) => !plan.some((run) => isDeepStrictEqual(run.spec, spec)));
  if (foreign !== undefined) {
    const { test, spec } = foreign;
    throw refuse(file, `it holds a run that is not in this matrix (${test} to ${spec.host}, flows ${spec.flows})`);
  }
  return found;
}

function refuse(file: string, why: string): CnbLoadError {
  const remedy = "give the same options to resume it, or name another --output";
  return new CnbLoadError("ERR_INVALID_OPTION", `--output: cannot go on with ${file}: ${why}; ${remedy}`);
}

/**
 * How long to wait between two runs, ns. Only TIME_WAIT on the client's own side can stand in the way of the next one, and only where
 * both use the same fixed port of the server and the kernel cannot tell old segments by their timestamps; docs/crr-and-ports.md.
 */
export function settleNs(previous: ResolvedSpec, next: ResolvedSpec, timestamps: boolean): number {
  const holdsPorts = ({ test, close, dataPort }: ResolvedSpec): boolean =>
    makesConnections(test) && close === "client" && dataPort !== 0;
  return !timestamps && holdsPorts(previous) && holdsPorts(next) ? TIME_WAIT_NS : 0;
}
