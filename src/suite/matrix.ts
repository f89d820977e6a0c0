/** A matrix: the runs of a suite, from a preset or from a file. */
import { CnbLoadError } from "../errors.js";
import { describeValue, nearest } from "../options/invalid.js";
import { expectedText, parseValue } from "../options/kinds.js";
import { TESTS } from "../options/names.js";
import type { Row } from "../options/row.js";
import type { RunOptions, TestName } from "../options/spec.js";
import { runTable } from "../options/table.js";
import { JSON_NOTATION, type Notation } from "./notation.js";

/** Options of a run without the server, which the command line names. */
export type MatrixRun = Omit<RunOptions, "host">;

export interface Matrix {
  /** Goes into the results: a preset's name or the file's. */
  name: string;
  /** Where each run comes from, for messages: "m.json: runs[2]". */
  runs: { options: MatrixRun; source?: string }[];
}

export const MAX_RUNS = 10_000;

const TEST_NAMES = Object.keys(TESTS) as TestName[];

/**
 * A matrix from a file's text: `{ "defaults": {...}, "runs": [{ "test": ..., ... }] }`, each an object of run options as in the library;
 * a default goes to those runs whose test takes the option. Throws ERR_INVALID_OPTION that names file, path, and what was expected.
 * Whether the options of a run go together is left to who resolves them.
 */
export function parseMatrix(text: string, file: string, notation = JSON_NOTATION): Matrix {
  const value = decode(text, file, notation);
  if (!isObject(value)) throw wrong(file, 'an object such as { "runs": [{ "test": "tcp_rr" }] }', value);
  for (const key of Object.keys(value)) {
    if (!["$schema", "name", "defaults", "runs"].includes(key)) {
      throw fault(`${file}: ${key}: unknown property; expected name, defaults, runs`);
    }
  }
  const { name = file, defaults = {}, runs } = value;
  if (typeof name !== "string" || name.length > 200) throw wrong(`${file}: name`, "a text of at most 200", name);
  if (!isObject(defaults)) throw wrong(`${file}: defaults`, "an object of run options", defaults);
  checkOptions(defaults, `${file}: defaults`);
  if (!Array.isArray(runs) || runs.length === 0 || runs.length > MAX_RUNS) {
    throw wrong(`${file}: runs`, `a list of 1 to ${MAX_RUNS} objects of run options`, runs);
  }
  return { name, runs: runs.map((run: unknown, index) => parseRun(run, defaults, `${file}: runs[${index}]`)) };
}

function decode(text: string, file: string, { name, decode }: Notation): unknown {
  try {
    return decode(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw fault(`${file}: expected a matrix in ${name}: ${reason.split("\n")[0]}`, cause);
  }
}

function parseRun(value: unknown, defaults: Record<string, unknown>, source: string): Matrix["runs"][number] {
  if (!isObject(value)) throw wrong(source, "an object of run options", value);
  const { test, ...options } = value;
  if (!isTest(test)) throw wrong(`${source}.test`, `one of ${TEST_NAMES.join(", ")}`, test);
  checkOptions(options, source);
  return { options: { ...applicable(defaults, test), ...options, test }, source };
}

/** The options that a test takes. */
export function applicable(options: Record<string, unknown>, test: TestName): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => rowOf(key)?.commands.includes(TESTS[test])));
}

/** Each option known and its value allowed. */
function checkOptions(options: Record<string, unknown>, path: string): void {
  for (const [key, value] of Object.entries(options)) {
    if (key === "host") throw fault(`${path}.host: the server is named on the command line, not in a matrix`);
    const row = rowOf(key);
    if (row === undefined) {
      const meant = nearest(key, Object.keys(runTable));
      throw fault(`${path}.${key}: unknown option${meant === undefined ? "" : `; did you mean ${meant}?`}`);
    }
    if (value === null && row.default === null) continue;
    if (parseValue(row, value) === undefined) throw wrong(`${path}.${key}`, expectedText(row), value);
  }
}

function rowOf(key: string): Row | undefined {
  return Object.hasOwn(runTable, key) ? runTable[key as keyof typeof runTable] : undefined;
}

function isTest(value: unknown): value is TestName {
  return typeof value === "string" && Object.hasOwn(TESTS, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wrong(path: string, expected: string, value: unknown): CnbLoadError {
  const came = value === undefined ? "nothing" : describeValue(value);
  return fault(`${path}: expected ${expected}, got ${came}`);
}

function fault(message: string, cause?: unknown): CnbLoadError {
  return new CnbLoadError("ERR_INVALID_OPTION", message, { cause });
}
