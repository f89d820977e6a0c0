import { CnbLoadError } from "../errors.js";
import { wholeNumber } from "../result/text.js";
import type { Environment } from "./environment.js";
import type { Crew } from "./plan.js";

/** For listeners, event descriptors, and what else the process opens meanwhile. */
const MARGIN = 64;

/** The soft RLIMIT_NOFILE, or undefined where there is none or it cannot be read. */
export function parseDescriptorLimit(limits: string | undefined): number | undefined {
  return wholeNumber(/^Max open files\s+(\d+)/m.exec(limits ?? "")?.[1]);
}

/** What the flows and workers of one half have open at most. */
function descriptorsOf({ role, loop, engine, flows, workers, zerocopy }: Crew): number {
  const acceptsAnew = loop === "crr" && role === "server";
  // The next connection of a flow may be accepted before the end of the last one is seen.
  const sockets = acceptsAnew ? 2 * flows : flows;
  const listens = acceptsAnew && engine !== "block";
  const waits = engine === "epoll" || engine === "uring";
  const readsFile = loop === "send" && zerocopy === "sendfile";
  return sockets + workers * [listens, waits, readsFile].filter(Boolean).length;
}

/**
 * Throws ERR_LIMIT where this process may not open as many descriptors as one half of a test needs: before anything begins, and with
 * what is needed.
 */
export function checkDescriptors(crew: Crew, { read, openDescriptors }: Environment): void {
  const limit = parseDescriptorLimit(read("/proc/self/limits"));
  if (limit === undefined) return;
  const { role, flows, workers } = crew;
  const open = openDescriptors();
  const needed = open + descriptorsOf(crew) + MARGIN;
  if (needed <= limit) return;
  const who = `${flows} ${flows === 1 ? "flow" : "flows"} on ${workers} ${workers === 1 ? "worker" : "workers"}`;
  const text = `flows: ${who} may need ${needed} open files (${open} are open), and the limit of the ${role}'s process is ${limit}`;
  throw new CnbLoadError("ERR_LIMIT", `${text}; raise it with \`ulimit -n ${needed}\` before the ${role} starts`, {
    option: "flows",
  });
}
