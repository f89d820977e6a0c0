import { CnbLoadError } from "../errors.js";
import { wholeNumber } from "../result/text.js";
import type { Environment } from "./environment.js";

/** For listeners, event descriptors, and what else the process opens meanwhile. */
const MARGIN = 64;

/** The soft RLIMIT_NOFILE, or undefined where there is none or it cannot be read. */
export function parseDescriptorLimit(limits: string | undefined): number | undefined {
  return wholeNumber(/^Max open files\s+(\d+)/m.exec(limits ?? "")?.[1]);
}

/** Throws ERR_LIMIT where this process may not open as many descriptors as one half of a test needs. */
export function checkDescriptors(flows: number, { read, openDescriptors }: Environment): void {
  const limit = parseDescriptorLimit(read("/proc/self/limits"));
  if (limit === undefined) return;
  const open = openDescriptors();
  const needed = open + flows + MARGIN;
  if (needed <= limit) return;
  throw new CnbLoadError(
    "ERR_LIMIT",
    `flows: ${flows} flows need ${needed} open files (${open} are open), and the limit of this process is ${limit}; raise it with \`ulimit -n ${needed}\``,
    { option: "flows" },
  );
}
