/** What probes found out before a run, in words. */
import { optionName } from "../options/names.js";
import { runTable } from "../options/table.js";
import type { BestChoice, Probe } from "../result/model.js";
import { formatBitRate, formatRate } from "./units.js";

/** "--engine spin --rx trunc: 42.3 Gbit/s" */
export function renderProbe({ options, bitsPerSecond, perSecond, error }: Probe): string {
  const figure = bitsPerSecond === undefined ? formatRate(perSecond ?? 0) : formatBitRate(bitsPerSecond);
  return `${renderOptions(options)}: ${error ?? figure}`;
}

/** "--engine spin --rx trunc, of 14 probes" */
export function describeBest({ chosen, probes }: BestChoice): string {
  return `${renderOptions(chosen)}, of ${probes.length} ${probes.length === 1 ? "probe" : "probes"}`;
}

/** As they would be written on the command line: a flag and its value in turn. */
export function argumentsOf(options: Probe["options"]): string[] {
  return Object.entries(options).flatMap(([key, value]) => [
    optionName("cli", key, runTable[key as keyof typeof runTable]),
    Array.isArray(value) ? value.join(",") : String(value),
  ]);
}

function renderOptions(options: Probe["options"]): string {
  const given = argumentsOf(options);
  return given.length === 0 ? "as given" : given.join(" ");
}
