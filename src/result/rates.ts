/** Directions of a test, and counts turned into rates. */
import type { ResolvedSpec } from "../options/spec.js";

/** Which end sends and which receives. RR and CRR count their client as the sender: it is the one that sets the pace. */
export function byDirection<End>(
  { test }: ResolvedSpec,
  ends: { local: End; remote?: End | undefined },
): { sender: End | undefined; receiver: End | undefined } {
  return test === "tcp_maerts"
    ? { sender: ends.remote, receiver: ends.local }
    : { sender: ends.local, receiver: ends.remote };
}

/** A count with its rate; undefined where no time passed. */
export function tally(count: number, windowNs: number): { count: number; perSecond: number } | undefined {
  return windowNs > 0 ? { count, perSecond: (count * 1e9) / windowNs } : undefined;
}

/** Bytes with their rate; undefined where no time passed. */
export function volume(bytes: number, windowNs: number): { bitsPerSecond: number; bytes: number } | undefined {
  return windowNs > 0 ? { bitsPerSecond: (bytes * 8e9) / windowNs, bytes } : undefined;
}
