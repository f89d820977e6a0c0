/** An AbortSignal may come at any point of a run. */
import { expect, it } from "vitest";
import { reportOf } from "./support.js";

interface Report {
  runs: Record<string, number>;
  sessions: Record<string, number>;
  left: object;
}

it.each([
  ["tcp_stream", "block"],
  ["tcp_maerts", "epoll"],
  ["tcp_rr", "epoll"],
  ["tcp_crr", "block"],
])(
  "runs of %s (engine %s) that are aborted at every point end as aborted on both ends, and leave nothing",
  async (...args) => {
    const { runs, sessions, left } = (await reportOf("aborts.mjs", args)) as Report;
    const { aborted = 0, completed = 0, ...others } = runs;
    expect(others).toEqual({});
    // The first one was left alone; where the machine is quick the last ones may have come to their end, too.
    expect(aborted).toBeGreaterThan(50);
    expect(completed).toBeGreaterThan(0);
    // Refused: those that went before they had said what they want.
    const { aborted: known = 0, completed: done = 0, refused = 0, ...strange } = sessions;
    expect(strange).toEqual({});
    expect(known).toBeGreaterThan(0);
    expect(known + refused).toBeLessThanOrEqual(aborted);
    expect(done).toBe(completed);
    expect(left).toEqual({ threads: [], descriptors: 0 });
  },
);
