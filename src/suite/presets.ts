import type { TestName } from "../options/spec.js";
import type { Matrix, MatrixRun } from "./matrix.js";

type Timing = Pick<MatrixRun, "duration" | "warmup" | "interval">;

/** How long each run of a preset lasts unless the command line says otherwise. */
const TIMING = {
  /** One flow and many, as comparisons of cluster networks use them. */
  cni: { duration: "10s", warmup: "1s", interval: "1s" },
  /** The same within a minute. */
  quick: { duration: "5s", warmup: "500ms", interval: "500ms" },
} as const satisfies Record<string, Timing>;

export type PresetName = keyof typeof TIMING;
export const PRESETS = Object.keys(TIMING) as PresetName[];

/** The tests that comparisons of cluster networks give; a matrix file may hold any. */
const PRESET_TESTS: readonly TestName[] = ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"];

/** Those tests with one flow, then with `flows`; only once where that is one as well. */
export function presetMatrix(name: PresetName, flows: number): Matrix {
  const rounds = flows === 1 ? [1] : [1, flows];
  return {
    name,
    runs: rounds.flatMap((count) => PRESET_TESTS.map((test) => ({ options: { ...TIMING[name], test, flows: count } }))),
  };
}
