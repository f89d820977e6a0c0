/** `worker.terminate()` in the midst of a run, for either end of it. */
import { describe, expect, it } from "vitest";
import { reportOf } from "./support.js";

describe.each([
  ["tcp_stream", "block"],
  ["tcp_maerts", "epoll"],
  ["tcp_rr", "block"],
  ["tcp_rr", "uring"],
  ["tcp_crr", "epoll"],
] as const)("a thread that is terminated in the midst of a %s run (engine %s)", (test, engine) => {
  it.each([
    ["the client", "client", [["failed", "ERR_PEER_LOST"]]],
    ["the server", "server", [["failed", "ERR_PEER_LOST"]]],
    ["both ends", "both", []],
  ])("takes %s along, and nothing is left", async (_what, role, other) => {
    expect(await reportOf("threads.mjs", [role, test, engine])).toEqual({
      ...{ code: 1, other, left: { threads: [], descriptors: 0 } },
    });
  });
});
