/** Which runs of different files measured the same thing, and what to call it. */
import { formatValue } from "../options/kinds.js";
import { flagOf, TESTS } from "../options/names.js";
import type { Row } from "../options/row.js";
import type { ResolvedSpec, TestName } from "../options/spec.js";
import { runTable } from "../options/table.js";
import { formatFlows } from "./describe.js";
import type { LabelledRun } from "./runs.js";

export interface Configuration {
  /** "rr, 32 flows, --request 64" */
  name: string;
  test: TestName;
  /** At most one of each label: the second of a label is "label #2". */
  runs: LabelledRun[];
}

/** Where a run took place rather than what was run: two networks differ in these as a matter of course. */
const PLACE: readonly (keyof ResolvedSpec)[] = [
  "port",
  "dataPort",
  "family",
  "bind",
  "cpus",
  "serverCpus",
  "localPorts",
  "intervalNs",
];

/** Runs grouped by what was run, tests in the table's order, then in the order in which the runs come. */
export function configurations(runs: readonly LabelledRun[]): Configuration[] {
  const groups = new Map<string, Configuration>();
  for (const run of runs) {
    const { spec, test } = run.result;
    const key = JSON.stringify([test, ...optionFields().map(({ field }) => spec[field])]);
    const group = groups.get(key) ?? { name: "", test, runs: [] };
    const same = group.runs.filter(({ label }) => label === run.label || label.startsWith(`${run.label} #`)).length;
    group.runs.push(same === 0 ? run : { ...run, label: `${run.label} #${same + 1}` });
    groups.set(key, group);
  }
  const all = [...groups.values()];
  const tests = Object.keys(TESTS);
  return tests.flatMap((test) => nameThem(all.filter((group) => group.test === test)));
}

function optionFields(): { field: keyof ResolvedSpec; row: Row }[] {
  return Object.values(runTable)
    .map((row) => ({ field: row.field, row }))
    .filter(({ field }) => !PLACE.includes(field));
}

/** Options are named where they tell runs of one test apart within any file. */
function nameThem(groups: readonly Configuration[]): Configuration[] {
  const [first] = groups;
  if (first === undefined) return [];
  const telling = optionFields().filter(({ field }) => field !== "flows" && tellsApart(groups, field));
  return groups.map((group) => {
    const { spec } = (group.runs[0] as LabelledRun).result;
    const options = telling.map(({ field, row }) => `${flagOf(row)} ${formatOption(row, spec[field])}`);
    return { ...group, name: [TESTS[group.test], formatFlows(spec.flows), ...options].join(", ") };
  });
}

function tellsApart(groups: readonly Configuration[], field: keyof ResolvedSpec): boolean {
  return new Set(groups.map(({ runs }) => JSON.stringify((runs[0] as LabelledRun).result.spec[field]))).size > 1;
}

function formatOption(row: Row, value: unknown): string {
  return value === null ? "auto" : value === "" ? "default" : formatValue(row, value);
}
