/** Which runs of different files measured the same thing, and what to call it. */
import { TESTS } from "../options/names.js";
import type { ResolvedSpec, TestName } from "../options/spec.js";
import { runTable } from "../options/table.js";
import { formatFlows } from "./describe.js";
import type { LabelledRun } from "./runs.js";
import { describeOptions, optionsThatDiffer } from "./variants.js";

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
  const fields = Object.values(runTable).flatMap(({ field }) => (PLACE.includes(field) ? [] : [field]));
  for (const run of runs) {
    const { spec, test } = run.result;
    const key = JSON.stringify([test, ...fields.map((field) => spec[field])]);
    const group = groups.get(key) ?? { name: "", test, runs: [] };
    const same = group.runs.filter(({ label }) => label === run.label || label.startsWith(`${run.label} #`)).length;
    group.runs.push(same === 0 ? run : { ...run, label: `${run.label} #${same + 1}` });
    groups.set(key, group);
  }
  const all = [...groups.values()];
  const tests = Object.keys(TESTS);
  return tests.flatMap((test) => nameThem(all.filter((group) => group.test === test)));
}

/** Options are named where they tell runs of one test apart within any file. */
function nameThem(groups: readonly Configuration[]): Configuration[] {
  const specOf = ({ runs }: Configuration): ResolvedSpec => (runs[0] as LabelledRun).result.spec;
  const telling = optionsThatDiffer(groups.map(specOf), ["flows", ...PLACE]);
  return groups.map((group) => {
    const spec = specOf(group);
    return {
      ...group,
      name: [TESTS[group.test], formatFlows(spec.flows), ...describeOptions(spec, telling)].join(", "),
    };
  });
}
