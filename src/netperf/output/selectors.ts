/** All output selectors, in the order of `all`. */
import { CPU_ROWS } from "./rows-cpu.js";
import { END_ROWS } from "./rows-ends.js";
import { SYSTEM_ROWS } from "./rows-systems.js";
import { TEST_ROWS } from "./rows-test.js";
import type { Row } from "./selector-kinds.js";

export const SELECTORS: readonly Row[] = [...TEST_ROWS, ...CPU_ROWS, ...END_ROWS, ...SYSTEM_ROWS];
const [NONE] = TEST_ROWS;
const BY_NAME = new Map(SELECTORS.map((row) => [row[0], row]));
const BY_HEADING = new Map(SELECTORS.map((row) => [row[1].toUpperCase(), row]));

/** What `all` selects: everything but the placeholder and the end mark, in four blocks. */
export const ALL_BLOCKS: readonly (readonly Row[])[] = [
  TEST_ROWS.slice(1),
  CPU_ROWS,
  END_ROWS,
  SYSTEM_ROWS.slice(0, -1),
];

/** By name or, as in files, by its heading; case does not matter. */
export function findSelector(word: string): Row | undefined {
  const key = word.trim().toUpperCase();
  return BY_NAME.get(key) ?? BY_HEADING.get(key);
}

export function selectorsOf(names: readonly string[]): Row[] {
  return names.map((name) => BY_NAME.get(name) ?? NONE).filter((row) => row !== undefined);
}
