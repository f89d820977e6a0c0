/** `cnb-load compare BASE NEW` */
import { parsePercent } from "../options/percents.js";
import { invalidOption } from "../options/spec.js";
import { describeKey, renderComparison, renderOutcome } from "../report/comparison.js";
import { renderJson } from "../report/json.js";
import { compare } from "../result/compare.js";
import type { ResultsDocument } from "../result/documents.js";
import type { Comparison } from "../result/model.js";
import { checkJson } from "./destinations.js";
import { EXIT, UsageError } from "./exit-codes.js";
import type { Values } from "./flags.js";
import { jsonTarget } from "./json-option.js";
import { note, print, writeFileAtomically } from "./output.js";
import { readResults } from "./saved-results.js";

/** Resolves with the exit code after everything was printed; rejects for bad options and files that cannot be compared. */
export async function compareCommand(basePath: string, newPath: string, values: Values): Promise<number> {
  const confidencePct = percentOption(values, "confidence", "--confidence", 50, 99);
  const failOnRegressionPct = percentOption(values, "failOnRegression", "--fail-on-regression", 0, 100);
  const json = jsonTarget(values["json"]);
  await checkJson(json);
  const [base, next] = [await readResults(basePath), await readResults(newPath)];
  const comparison = await compare(base.results, next.results, {
    confidence: confidencePct === undefined ? undefined : confidencePct / 100,
    failOnRegressionPct,
  });
  if (comparison.pairs.length === 0) throw nothingInCommon(comparison, basePath, newPath);
  if (json.to === "stdout") {
    note(renderOutcome(comparison));
    await print(renderJson(comparison));
  } else await print(renderComparison(comparison, { base: nameOf(basePath, base), new: nameOf(newPath, next) }));
  if (json.to === "file") await writeFileAtomically(json.path, renderJson(comparison));
  return comparison.regressions === 0 ? EXIT.done : EXIT.failed;
}

function percentOption(values: Values, key: string, flag: string, least: number, most: number): number | undefined {
  const given = values[key];
  if (typeof given !== "string") return undefined;
  const percent = parsePercent(given);
  if (percent !== undefined && percent >= least && percent <= most) return percent;
  throw invalidOption(
    flag,
    `a percentage from ${least} to ${most} such as ${flag === "--confidence" ? "99%" : "3%"}`,
    given,
  );
}

function nameOf(path: string, { label }: ResultsDocument): string {
  return label === undefined ? path : `${path} (${label})`;
}

function nothingInCommon({ unpaired, unusable }: Comparison, basePath: string, newPath: string): UsageError {
  const [base, next] = (["base", "new"] as const).map((side) => {
    const keys = unpaired[side].map(describeKey);
    if (keys.length === 0) return unusable[side] === 0 ? "no results" : "no completed run";
    const [shown, hidden] = [keys.slice(0, 4), keys.length - 4];
    return shown.join(" and ") + (hidden > 0 ? ` and ${hidden} more` : "");
  });
  return new UsageError(`nothing to compare: ${basePath} holds ${base}; ${newPath} holds ${next}`);
}
