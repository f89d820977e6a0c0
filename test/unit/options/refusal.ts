import { CnbLoadError } from "../../../src/errors.js";
import type { RunOptions } from "../../../src/options/spec.js";

export const base = { test: "tcp_rr", host: "127.0.0.1" } as const;

export function refusal(action: () => unknown): CnbLoadError {
  try {
    action();
  } catch (error) {
    if (error instanceof CnbLoadError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

/** Options as plain JavaScript callers may pass them. */
export const untyped = (options: Record<string, unknown>): RunOptions => ({ ...base, ...options });
