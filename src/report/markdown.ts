/** Markdown for an issue, a pull request or a page. */
import { configurations } from "./configurations.js";
import { cpuTable, type FigureTable, hostTable, rateTable, sharedWarnings, withoutEmptyColumns } from "./figures.js";
import { type LabelledRun, labelsOf } from "./runs.js";

/** Rates and latency per configuration, CPU, warnings and hosts; ends with a newline. */
export function renderMarkdown(runs: readonly LabelledRun[]): string {
  const groups = configurations(runs);
  const labels = labelsOf(runs);
  const ordered = groups.flatMap((group) => group.runs);
  const names = new Map(groups.flatMap(({ name, runs: own }) => own.map((run) => [run, name] as const)));
  const nameOf = (run: LabelledRun): string =>
    labels.length === 1 ? (names.get(run) as string) : `${names.get(run) as string}: ${run.label}`;
  const warnings = sharedWarnings(ordered, nameOf).map(
    ({ code, message, advice, runs: own }) =>
      `- **${escape(code)}** (${own.length} of ${runs.length} runs): ${escape(message)}. ${escape(advice)}`,
  );
  return `${[
    `# ${labels.map(escape).join(" and ")}`,
    "## Rates and latency",
    table(rateTable(ordered, nameOf)),
    "## CPU of the hosts",
    table(cpuTable(ordered, nameOf)),
    "Normalised: scaled linearly to the rate named, an extrapolation and no measurement.",
    ...(warnings.length === 0 ? [] : ["## Warnings", warnings.join("\n")]),
    "## Hosts",
    table(hostTable(runs)),
  ].join("\n\n")}\n`;
}

function table(figures: FigureTable): string {
  const { head, rows } = withoutEmptyColumns(figures);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((name) =>
    /^(run|end|label|host|kernel|CPU|governor|interface|driver|warnings)$/.test(name) ? "---" : "---:",
  );
  return [line(head), line(rule), ...rows.map((row) => line(row.map((cell) => escape(cell ?? ""))))].join("\n");
}

/** Text that came from elsewhere shows as it is: no markup, no HTML, one line. */
function escape(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*[\]<>|#~&]|\b_|_\b/g, (character) => `\\${character}`);
}
