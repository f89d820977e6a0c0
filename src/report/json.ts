import type { Result } from "../result/model.js";

/** One JSON document with a final newline. */
export function renderJson(result: Result): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Several results as one document, schema `cnb-load/results/1`: `{ schema, results: Result[] }`. */
export function renderResultsJson(results: readonly Result[]): string {
  return `${JSON.stringify({ schema: "cnb-load/results/1", results }, null, 2)}\n`;
}
