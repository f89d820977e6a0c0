/** Which results of two sets belong together: the same test with the same flows, told apart by whatever else varies within a set. */
import { isDeepStrictEqual } from "node:util";
import type { ResolvedSpec } from "../options/spec.js";
import { compact } from "./compact.js";
import type { Comparison, HostContext, PairComparison, Result } from "./model.js";

export type PairKey = Comparison["unpaired"]["base"][number];
type Changed = PairComparison["changed"][number];

/** Options that leave what is measured as it is; test and flows have a place of their own in the key. */
const NEUTRAL: ReadonlySet<string> = new Set<keyof ResolvedSpec>([
  "test",
  "flows",
  "runs",
  "untilCiPct",
  "intervalNs",
  "port",
  "dataPort",
]);

/** Two networks differ in these as a matter of course. */
const PLACE: ReadonlySet<string> = new Set<keyof ResolvedSpec>(["host", "bind"]);

/** What of a host makes its figures those of another machine. */
const HOST_FIELDS = [
  "kernel",
  "cpuModel",
  "cpus",
  "governor",
  "clocksource",
  "congestionControl",
  "driver",
  "mtuBytes",
  "version",
] as const satisfies readonly (keyof HostContext)[];

/** Results of one set that are runs of the same thing; at least one. */
export interface Group {
  key: PairKey;
  results: [Result, ...Result[]];
}

/** Completed, or holding runs that were. */
export function isUsable({ state, runs = [] }: Result): boolean {
  return state === "completed" || runs.length > 0;
}

const sameTest = (one: Result, other: Result): boolean =>
  one.test === other.test && one.spec.flows === other.spec.flows;

const optionsOf = (spec: ResolvedSpec): [string, unknown][] =>
  Object.entries(spec).filter(([name]) => !NEUTRAL.has(name));

const valueOf = (spec: ResolvedSpec, name: string): unknown => spec[name as keyof ResolvedSpec];

/** Options that differ between results of the same test within one set. */
function varying(results: readonly Result[]): string[] {
  const [first] = results;
  if (first === undefined) return [];
  return optionsOf(first.spec)
    .filter(([name, value]) => results.some(({ spec }) => !isDeepStrictEqual(valueOf(spec, name), value)))
    .map(([name]) => name);
}

/** Groups in order of appearance. `others` is the other set: what varies there tells results apart here, too. */
export function groupResults(results: readonly Result[], others: readonly Result[]): Group[] {
  const groups: Group[] = [];
  for (const result of results) {
    const alike = (candidate: Result): boolean => sameTest(candidate, result);
    const names = new Set([...varying(results.filter(alike)), ...varying(others.filter(alike))]);
    const options = Object.fromEntries([...names].map((name) => [name, valueOf(result.spec, name)]));
    const key: PairKey = compact({
      test: result.test,
      flows: result.spec.flows,
      options: names.size > 0 ? options : undefined,
    });
    const group = groups.find((known) => isSameKey(known.key, key));
    if (group === undefined) groups.push({ key, results: [result] });
    else group.results.push(result);
  }
  return groups;
}

export function isSameKey(one: PairKey, other: PairKey): boolean {
  return isDeepStrictEqual(one, other);
}

/** What else differs between the sides of a pair: options, the engines that ran, the hosts. */
export function changesBetween({ results: [base] }: Group, { results: [next] }: Group): Changed[] {
  const found: Changed[] = [];
  const compareAt = (path: string, before: unknown, after: unknown): void => {
    if (!isDeepStrictEqual(before, after)) found.push(compact({ path, base: before, new: after }));
  };
  for (const [name, value] of optionsOf(base.spec)) {
    if (!PLACE.has(name)) compareAt(`spec.${name}`, value, valueOf(next.spec, name));
  }
  for (const end of ["local", "remote"] as const) {
    const [before, after] = [base.host[end], next.host[end]];
    // A server whose report never came is no other host.
    if (before === undefined || after === undefined) continue;
    compareAt(`engine.${end}`, base.engine[end], next.engine[end]);
    for (const field of HOST_FIELDS) compareAt(`host.${end}.${field}`, before[field], after[field]);
  }
  return found;
}

export function warningCodes({ results }: Group): string[] {
  return [...new Set(results.flatMap(({ warnings }) => warnings.map(({ code }) => code)))];
}
