/** What -k, -o and -O select. */
import { NetperfExit } from "../client/exit.js";
import type { Settings, TableStyle } from "../client/settings.js";
import { readText } from "../../result/text.js";
import type { Row } from "./selector-kinds.js";
import { ALL_BLOCKS, SELECTORS, findSelector, selectorsOf } from "./selectors.js";

const MAX_BLOCKS = 4;
const LATENCIES = ["MIN", "MAX", "P50", "P90", "P99", "MEAN", "STDDEV"].map((name) => `${name}_LATENCY`);
const CPU_NAMES = [
  "UTIL",
  "PERCENT_USER",
  "PERCENT_SYSTEM",
  "PERCENT_IOWAIT",
  "PERCENT_IRQ",
  "PERCENT_SWINTR",
  "METHOD",
];

export interface Selection {
  blocks: Row[][];
  /** Words that name no selector: dropped. */
  unknown: string[];
  /** Whether latencies are among them, so that calls must be timed. */
  timed: boolean;
}

/** Throws NetperfExit for a list of selectors ("?"), or a file that cannot be read. */
export function select(settings: Settings): Selection {
  const { selection: spec, style } = settings;
  if (spec === "?") throw new NetperfExit(1, { out: listOf(style) });
  const unknown: string[] = [];
  const blocks =
    spec === "" ? [defaults(settings)] : spec === "all" ? ALL_BLOCKS.map((rows) => [...rows]) : parse(spec, unknown);
  return { blocks, unknown, timed: blocks.flat().some(([name]) => LATENCIES.includes(name)) };
}

function listOf(style: TableStyle): string {
  return SELECTORS.map(([name]) => name).join(style === "human" ? "\n" : ",") + "\n";
}

/** Selectors by comma or blank, blocks by semicolon; a single word that is none names a file. */
function parse(spec: string, unknown: string[]): Row[][] {
  const inline = /[,;\s]/.test(spec) || findSelector(spec) !== undefined;
  const lines = inline ? spec.split(";") : fileLines(spec);
  const separator = inline ? /[,\s]+/ : /,/;
  return lines.slice(0, MAX_BLOCKS).map((line) => {
    const words = line.split(separator).filter((word) => word.trim() !== "");
    return words.flatMap((word) => {
      const row = findSelector(word);
      if (row !== undefined) return [row];
      unknown.push(word.trim());
      return [];
    });
  });
}

function fileLines(path: string): string[] {
  const content = readText(path);
  if (content === undefined) {
    throw new NetperfExit(255, { out: `Could not open output selection file '${path}' errno 2\n` });
  }
  return content.split("\n").filter((line) => line.trim() !== "");
}

function defaults({ kind, measureLocalCpu, measureRemoteCpu }: Settings): Row[] {
  const requests = ["LSS_SIZE_END", "LSR_SIZE_END", "RSR_SIZE_END", "RSS_SIZE_END", "REQUEST_SIZE", "RESPONSE_SIZE"];
  const sizes = {
    send: ["LSS_SIZE_END", "RSR_SIZE_END", "LOCAL_SEND_SIZE"],
    receive: ["RSS_SIZE_END", "LSR_SIZE_END", "REMOTE_SEND_SIZE"],
    ...{ rr: requests, crr: requests, cc: requests },
  };
  const cpu = ["LOCAL", "REMOTE"].flatMap((side) => CPU_NAMES.map((name) => `${side}_CPU_${name}`));
  return selectorsOf([
    ...sizes[kind],
    ...["ELAPSED_TIME", "THROUGHPUT", "THROUGHPUT_UNITS"],
    ...(measureLocalCpu || measureRemoteCpu ? [...cpu, "LOCAL_SD", "REMOTE_SD", "SD_UNITS"] : []),
  ]);
}
