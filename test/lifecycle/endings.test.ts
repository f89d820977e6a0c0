/** Processes that end in the midst of a run, and what the other end makes of it. The addon alone is put through this in test/native. */
import { describe, expect, it } from "vitest";
import { type SessionSummary, run, serve } from "../../src/run/index.js";
import { Resources } from "../support/resources.js";
import { until } from "../support/until.js";
import { ended, start } from "./support.js";

const host = "127.0.0.1";
/** A vanished peer frees everything within 5 s; a busy machine may need a moment more. */
const FREED_MS = 6000;

const TESTS = [
  ["tcp_stream", "block"],
  ["tcp_maerts", "epoll"],
  ["tcp_rr", "epoll"],
  ["tcp_crr", "block"],
] as const;

const ENDINGS: [string, string, number, RegExp][] = [
  ["calls process.exit()", "exit", 7, /^$/],
  ["throws what nobody catches", "throw", 1, /thrown mid-run/],
  ["rejects what nobody handles", "reject", 1, /rejected mid-run/],
];

describe.each(TESTS)("in the midst of a %s run (engine %s)", (test, engine) => {
  it.each(ENDINGS)("a client's process %s, and the server frees its session", async (_title, mode, code, said) => {
    const summaries: SessionSummary[] = [];
    await using server = await serve({ host, port: 0, onSession: (summary) => summaries.push(summary) });
    const before = Resources.of(process);
    await using program = start("endings.mjs", ["client", mode, test, engine, String(server.port)]);
    expect(await ended(program)).toEqual({ code, stdout: "", stderr: expect.stringMatching(said) as string });
    await until(() => summaries.length > 0, "the server tells of the session", { timeoutMs: FREED_MS });
    expect(summaries).toMatchObject([{ test, outcome: "failed", error: { code: "ERR_PEER_LOST" } }]);
    await before.restored(FREED_MS);
  });

  it.each(ENDINGS)("a server's process %s, and the client fails with what it has", async (_title, mode, code, said) => {
    const before = Resources.of(process);
    await using program = start("endings.mjs", ["server", mode]);
    const [, port] = await program.saying("stdout", /^(\d+)\n/);
    const going = run({ test, engine, host, port: Number(port), duration: "10m", warmup: 0, interval: "20ms" });
    for await (const _ of going) break;
    program.child.kill("SIGUSR2");
    await expect(going).rejects.toMatchObject({
      name: "CnbLoadError",
      code: expect.stringMatching(/^ERR_(PEER_LOST|TRAFFIC)$/) as string,
      result: { state: "failed", test },
    });
    expect(await ended(program)).toMatchObject({ code, stderr: expect.stringMatching(said) as string });
    await before.restored(FREED_MS);
  });
});
