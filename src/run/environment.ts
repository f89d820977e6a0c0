import { closeSync, openSync, readdirSync } from "node:fs";
import { DEFAULT_TIMING, type ControlTiming } from "../control/timing.js";
import type { Credentials } from "../control/credentials.js";
import type { Introduction } from "../control/hello.js";
import { type NativeAddon, loadAddon } from "../native/index.js";
import { type ReadText, firstLine, readText } from "../result/text.js";
import { packageVersion } from "../result/version.js";

/** What runs and servers need of their surroundings; tests put their own in its place. */
export interface Environment {
  /** Throws ERR_PLATFORM. */
  addon: () => NativeAddon;
  timing: ControlTiming;
  read: ReadText;
  /** Names in a folder; none where it cannot be read. */
  list: (folder: string) => string[];
  /** Descriptors that this process has open. */
  openDescriptors: () => number;
  /** Lengths of a probe, seconds. */
  probe: { warmup: number; duration: number };
  /** What clients show to servers. */
  credentials?: Credentials;
}

export const realEnvironment: Readonly<Environment> = {
  addon: loadAddon,
  timing: DEFAULT_TIMING,
  read: readText,
  list,
  openDescriptors,
  // Long enough for TCP to reach its rate on a short path, short enough for a dozen of them.
  probe: { warmup: 0.2, duration: 0.3 },
};

/**
 * After a change of user the kernel hides /proc/self/fd (proc(5), "dumpable"): then the lowest free number, below which all are taken, has to
 * do.
 */
function openDescriptors(): number {
  const listed = list("/proc/self/fd").length;
  if (listed > 0) return listed;
  const lowest = openSync("/dev/null", "r");
  closeSync(lowest);
  return lowest;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function introduction({ read }: Environment): Introduction {
  return { version: packageVersion(), bootId: firstLine(read("/proc/sys/kernel/random/boot_id")) };
}
