import { EXIT, errorLine, exitCodeOf } from "./exit-codes.js";
import type { Interrupt } from "./interrupt.js";
import { note, ReaderGoneError } from "./output.js";

/** Tells each problem on a line of its own and gives the exit code: of the interruption, else of the first problem. */
export function conclude(problems: readonly unknown[], interrupt?: Interrupt): number {
  for (const problem of problems) {
    if (!(problem instanceof ReaderGoneError)) note(`cnb-load: ${errorLine(problem)}\n`);
  }
  if (interrupt?.received === true) return EXIT.interrupted;
  return problems.length === 0 ? EXIT.done : exitCodeOf(problems[0]);
}
