/** What tells runs apart that would look alike: the options in which they differ. */
import { describeResolved } from "../options/kinds.js";
import { flagOf } from "../options/names.js";
import type { Row } from "../options/row.js";
import type { ResolvedSpec } from "../options/spec.js";
import { runTable } from "../options/table.js";

export interface OptionField {
  field: keyof ResolvedSpec;
  row: Row;
}

/** Those of the table whose values are not the same in all of them; those of `except` aside. */
export function optionsThatDiffer(
  specs: readonly ResolvedSpec[],
  except: readonly (keyof ResolvedSpec)[],
): OptionField[] {
  return Object.values(runTable)
    .map((row) => ({ field: row.field, row }))
    .filter(({ field }) => !except.includes(field))
    .filter(({ field }) => new Set(specs.map((spec) => JSON.stringify(spec[field]))).size > 1);
}

/** "--request 64K"; of a switch its name alone, where it is on. */
export function describeOptions(spec: ResolvedSpec, options: readonly OptionField[]): string[] {
  return options.flatMap(({ field, row }) => {
    const value = spec[field];
    if (row.kind === "flag") return value === true ? [flagOf(row)] : [];
    return [`${nameOption(row, field)} ${describeResolved(row, value)}`];
  });
}

/** Its flag, unless each value has one of its own. */
export function nameOption(row: Row, field: string): string {
  return row.kind === "choice" && row.switches !== undefined ? field : flagOf(row);
}

/** For each run of a list: how it differs from others of the same test with as many flows, "" where none does. */
export function variantsOf(specs: readonly ResolvedSpec[]): string[] {
  const groups = new Map<string, ResolvedSpec[]>();
  const keyOf = ({ test, flows }: ResolvedSpec): string => `${test} ${flows}`;
  for (const spec of specs) {
    const group = groups.get(keyOf(spec));
    if (group === undefined) groups.set(keyOf(spec), [spec]);
    else group.push(spec);
  }
  const telling = new Map([...groups].map(([key, alike]) => [key, optionsThatDiffer(alike, ["flows", "intervalNs"])]));
  return specs.map((spec) => describeOptions(spec, telling.get(keyOf(spec)) ?? []).join(" "));
}
