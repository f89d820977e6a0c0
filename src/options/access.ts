import { accessTable } from "./access-table.js";
import type { OutputsOf } from "./row.js";

/** Secrets in place of files, for callers who have them in memory. */
export interface InMemory {
  /** As a token file would hold it. */
  token?: string | undefined;
}

/** What a client shows to a server: names of files, "" = none. */
export type ResolvedAccess = OutputsOf<typeof accessTable> & InMemory;

/** Options of a run in two: those that say what is run, and those that say who asks for it. */
export function splitAccess(options: Record<string, unknown>): {
  rest: Record<string, unknown>;
  access: Record<string, unknown>;
} {
  const isAccess = (key: string): boolean => key === "token" || Object.hasOwn(accessTable, key);
  const pick = (wanted: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(options).filter(([key]) => isAccess(key) === wanted));
  return { rest: pick(false), access: pick(true) };
}
