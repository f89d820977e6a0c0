/** Several runs as plain text for a terminal. */
import { sharedWarnings } from "./figures.js";
import { type LabelledRun, labelsOf } from "./runs.js";
import { renderOverview } from "./summary.js";
import { printable, wrap } from "./layout.js";
import { renderText } from "./text.js";

const WIDTH = 100;

/** One run in full, several as a table per label with their warnings below; ends with a newline. */
export function renderPlain(runs: readonly LabelledRun[]): string {
  const [only, ...others] = runs;
  if (only !== undefined && others.length === 0) return renderText(only.result);
  const tables = labelsOf(runs).map((label) => {
    const results = runs.filter((run) => run.label === label).map(({ result }) => result);
    return `${printable(label)}\n${renderOverview(results)}`;
  });
  const warnings = sharedWarnings(runs, ({ label }) => label).flatMap((warning) => [
    ...wrap(`warning ${warning.code} (${warning.runs.length} of ${runs.length} runs): ${warning.message}`, WIDTH, ""),
    ...wrap(warning.advice, WIDTH, "  "),
  ]);
  return [...tables, ...(warnings.length === 0 ? [] : [`${warnings.join("\n")}\n`])].join("\n");
}
