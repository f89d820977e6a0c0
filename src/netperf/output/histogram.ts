/** netperf's histogram: ten columns to a power of ten, counted in whole units of the row. */
import { bucketLow } from "../../result/hdr-layout.js";
import type { RawHistogram } from "../../result/raw.js";
import type { Settings } from "../client/settings.js";

const ROWS = [
  ...["UNIT_USEC", "TEN_USEC", "HUNDRED_USEC", "UNIT_MSEC", "TEN_MSEC", "HUNDRED_MSEC", "UNIT_SEC", "TEN_SEC"],
] as const;
const COLUMNS = 10;
const USEC_NS = 1000;

/** Titles as netperf has them, slips included. */
function titleOf({ kind, protocol }: Settings): string {
  const udp = protocol === "udp";
  if (kind === "send") return `${udp ? "" : "\n"}\nHistogram of time spent in send() call${udp ? "" : "."}\n`;
  if (kind === "receive") return "\n\nHistogram of time spent in recv() call.\n";
  return udp ? "\nHistogram of request/reponse times.\n" : "\nHistogram of request/response times\n";
}

/** "" where nothing was timed. */
export function renderHistogram(settings: Settings, histogram: RawHistogram | undefined): string {
  if (histogram === undefined) return "";
  const table = ROWS.map(() => Array<number>(COLUMNS).fill(0));
  let total = 0;
  let beyond = 0;
  for (let i = 0; i < histogram.counts.length; i++) {
    const count = histogram.counts[i] ?? 0;
    if (count === 0) continue;
    total += count;
    const usecs = Math.floor(bucketLow(histogram.first + i) / USEC_NS);
    const exponent = usecs < COLUMNS ? 0 : String(usecs).length - 1;
    const column = Math.floor(usecs / 10 ** exponent);
    const row = table[exponent];
    if (row === undefined) beyond += count;
    else row[column] = (row[column] ?? 0) + count;
  }
  const lines = table.map((row, index) => {
    const cells = row.map((count) => `: ${String(count).padStart(4)}`).join("");
    return `${(ROWS[index] ?? "").padEnd(14)}${cells}\n`;
  });
  return `${titleOf(settings)}${lines.join("")}>100_SECS: ${beyond}\nHIST_TOTAL:      ${total}\n`;
}
