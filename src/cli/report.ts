/** `cnb-load report FILE...` */
import { nearest } from "../options/invalid.js";
import { invalidOption } from "../options/spec.js";
import { type LabelledRun, type ResultsFile, labelRuns } from "../report/runs.js";
import { checkFile } from "./destinations.js";
import { EXIT, UsageError } from "./exit-codes.js";
import type { Values } from "./flags.js";
import { print, writeFileAtomically } from "./output.js";
import { readResults } from "./saved-results.js";

type Render = (runs: readonly LabelledRun[]) => Promise<string>;

/** Each format is imported when it is asked for; the charts of html take a while to load. */
export const FORMATS: Record<string, Render> = {
  text: async (runs) => (await import("../report/plain.js")).renderPlain(runs),
  line: async (runs) => (await import("../report/line.js")).renderLines(runs),
  markdown: async (runs) => (await import("../report/markdown.js")).renderMarkdown(runs),
  csv: async (runs) => (await import("../report/csv.js")).renderCsv(runs),
  html: async (runs) => (await import("../report/html.js")).renderHtml(runs),
};

/** Resolves with the exit code after everything was printed; rejects for bad options and files that hold no results. */
export async function reportCommand(paths: readonly string[], values: Values): Promise<number> {
  const { format = "text", output } = values as Partial<Record<string, string>>;
  const render = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  if (render === undefined) throw wrongFormat(format);
  if (output !== undefined && output !== "-") await checkFile("--output", output);
  const files: ResultsFile[] = [];
  for (const path of paths) files.push({ path, document: await readResults(path) });
  const runs = labelRuns(files);
  if (runs.length === 0) throw new UsageError(`${paths.join(", ")}: no results in there yet`);
  const text = await render(runs);
  if (output === undefined || output === "-") await print(text);
  else await writeFileAtomically(output, text);
  return EXIT.done;
}

function wrongFormat(format: string): Error {
  const names = Object.keys(FORMATS);
  const meant = nearest(format, names);
  if (meant !== undefined) return new UsageError(`--format: unknown ${JSON.stringify(format)}; did you mean ${meant}?`);
  return invalidOption("--format", `one of ${names.join(", ")}`, format);
}
