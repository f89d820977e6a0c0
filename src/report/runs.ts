/** Results of one or many files, each under the name that its file goes by. */
import type { ResultsDocument } from "../result/documents.js";
import type { Result } from "../result/model.js";

export interface LabelledRun {
  /** Of the network or set-up that was measured. */
  label: string;
  result: Result;
}

export interface ResultsFile {
  /** As the user named it. */
  path: string;
  document: ResultsDocument;
}

/** In the files' order. A file goes by its label, else by its name without folder and ending; two of the same name by their paths. */
export function labelRuns(files: readonly ResultsFile[]): LabelledRun[] {
  const names = files.map(({ path, document }) => document.label ?? path.replace(/^.*\//, "").replace(/\.json$/, ""));
  return files.flatMap(({ path, document }, index) => {
    const name = names[index] as string;
    const label = names.indexOf(name) === names.lastIndexOf(name) ? name : `${name} (${path})`;
    return document.results.map((result) => ({ label, result }));
  });
}

export function labelsOf(runs: readonly LabelledRun[]): string[] {
  return [...new Set(runs.map(({ label }) => label))];
}
