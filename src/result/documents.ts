/** Files of results as they are saved: one result, or a document of several. */
import { readFileSync } from "node:fs";
import { CnbLoadError } from "../errors.js";
import type { ResolvedSpec } from "../options/spec.js";
import { type JsonSchema, shapeProblem } from "./check.js";
import type { Result } from "./model.js";

export const RESULT = "cnb-load/result/1";
export const RESULTS = "cnb-load/results/1";

/** What a suite was asked to run. */
export interface SavedMatrix {
  /** A preset's name or the file's. */
  name: string;
  /** In order, every option as resolved. */
  runs: ResolvedSpec[];
}

/** Several results in one file, schema `cnb-load/results/1`. Only a suite writes more than `results`. */
export interface ResultsDocument {
  schema: typeof RESULTS;
  /** What was measured, in the user's words: "cilium-1.18". */
  label?: string;
  /** When the suite began, ISO 8601 in UTC. */
  startedAt?: string;
  matrix?: SavedMatrix;
  results: Result[];
}

const EXPECTED = `a result (schema ${RESULT}) as --json writes it, or a document of results (schema ${RESULTS}) as suite writes it`;

/**
 * The results in a file's text; a single result makes a document of one. Throws ERR_INVALID_OPTION that names the file, the property
 * at fault and what was expected.
 */
export function parseResults(text: string, file: string): ResultsDocument {
  const value = parseJson(text, file);
  const schema = typeof value === "object" && value !== null && "schema" in value ? value.schema : undefined;
  if (schema === RESULT) {
    check("result.json", value, file, "result");
    return { schema: RESULTS, results: [value as Result] };
  }
  if (schema !== RESULTS) throw unreadable(file, `expected ${EXPECTED}`);
  check("results.json", value, file, "document");
  return value as ResultsDocument;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, `expected ${EXPECTED}, but it is no JSON`, cause);
  }
}

function check(name: SchemaName, value: unknown, file: string, root: string): void {
  const problem = shapeProblem(loadSchema(name), value, root);
  if (problem !== null) throw unreadable(file, problem);
}

function unreadable(file: string, problem: string, cause?: unknown): CnbLoadError {
  return new CnbLoadError("ERR_INVALID_OPTION", `${file}: ${problem}`, { cause });
}

type SchemaName = "result.json" | "results.json";
const schemas = new Map<SchemaName, JsonSchema>();

/** The files lie at the same distance from `src/result` and `dist/result`. */
function loadSchema(name: SchemaName): JsonSchema {
  const loaded =
    schemas.get(name) ??
    (JSON.parse(readFileSync(new URL(`../../schema/${name}`, import.meta.url), "utf8")) as JsonSchema);
  schemas.set(name, loaded);
  return loaded;
}
