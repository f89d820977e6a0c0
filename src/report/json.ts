import type { ResultsDocument } from "../result/documents.js";
import type { Result } from "../result/model.js";

/** One JSON document with a final newline: a result, a comparison, a diagnosis. */
export function renderJson(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Several results as one document, schema `cnb-load/results/1`: `{ schema, results: Result[] }` after what is known of them. */
export function renderResultsJson(
  results: readonly Result[],
  about: Omit<ResultsDocument, "schema" | "results"> = {},
): string {
  return `${JSON.stringify({ schema: "cnb-load/results/1", ...about, results }, null, 2)}\n`;
}
