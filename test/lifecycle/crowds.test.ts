/** Many runs and servers in one process, and runs that nobody holds on to. */
import { expect, it } from "vitest";
import { reportOf } from "./support.js";

const NOTHING = { threads: [], descriptors: 0 };
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

it("several servers and many runs share a process and a signal; a server that closes ends its own runs alone", async () => {
  // A warning on stderr, such as Node's of too many listeners, would fail the program.
  expect(await reportOf("crowd.mjs")).toEqual({
    completed: times(12, "completed"),
    failures: times(4, ["ERR_CLOSED", "failed"]),
    aborted: times(8, "aborted"),
    left: NOTHING,
  });
});

it("garbage collection takes nothing that is in use, and everything after", async () => {
  expect(await reportOf("collect.mjs", [], ["--expose-gc"])).toEqual({
    sessions: times(4, "completed"),
    runs: times(3, ["completed", true]),
    alive: 0,
    left: NOTHING,
  });
});
