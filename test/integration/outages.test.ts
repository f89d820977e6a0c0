/** What becomes of a run when its server, its client or the link between them goes away in its midst. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import type { Cli } from "../support/program.js";
import { isAlive } from "../support/processes.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { Resources, sessionThreads } from "../support/resources.js";
import { resultOf } from "../support/result-schema.js";
import { until } from "../support/until.js";
import { Lab } from "./lab.js";

/** Far longer than any test waits, so that only an outage ends it. */
const ENDLESS = ["--duration", "10m", "--warmup", "0", "--interval", "50ms"];
/** A peer is taken for gone after 4 s of silence; then whatever is left is gathered, and a busy host may be slow to. */
const GONE_MS = 10_000;
/** The server promises 5 s from the moment at which the client was last heard; a busy host may need a moment to keep it. */
const FREED_MS = 6000;

/** Half a minute of waiting in all if they were not made side by side. */
const options = { timeout: 60_000 };

async function start(lab: Lab, ...args: string[]): Promise<Cli> {
  const run = lab.client(args[0] ?? "rr", ...args.slice(1), ...ENDLESS);
  // The second interval: everything flows.
  await run.saying("stderr", /(?: s {2}[^\n]*\n[^]*){2}/);
  return run;
}

/** Exit code 1, one line that says why, and what was measured until then. Returns the result. */
async function expectFailure(run: Cli, sinceMs: number): Promise<Result> {
  const { code, stdout, stderr } = await run.finished;
  expect(performance.now() - sinceMs).toBeLessThan(GONE_MS);
  expect(code, stderr).toBe(1);
  const result = resultOf({ stdout });
  expect(result.state).toBe("failed");
  expect(result.error?.code).toMatch(/^ERR_(PEER_LOST|TRAFFIC)$/);
  expect(result.intervals.length).toBeGreaterThan(0);
  expect(result.window.durationNs).toBeGreaterThan(0);
  expect(result.transactions?.count ?? result.throughput?.sender?.bytes ?? result.throughput?.bytes).toBeGreaterThan(0);
  const complaints = stderr.split("\n").filter((line) => line.startsWith("cnb-load: "));
  expect(complaints).toEqual([`cnb-load: ${result.error?.message ?? ""}`]);
  return result;
}

const TESTS: [string, string[]][] = [
  ["stream", []],
  ["maerts", ["-P", "4", "--engine", "epoll", "-6"]],
  ["rr", ["-P", "32", "--engine", "epoll"]],
  ["rr", ["-P", "3", "--engine", "block", "-6"]],
  ["crr", ["-P", "8", "--engine", "epoll", "-6"]],
  ["crr", ["--close", "client"]],
  ["udp-stream", ["-P", "3", "--engine", "epoll", "--bandwidth", "10M"]],
  ["udp-rr", ["-P", "2", "-6"]],
];

describeIf(rootAndNetns())("outages", () => {
  describe.concurrent("of the server", options, () => {
    it.each(TESTS)("end a %s run %j that was killed, with what was measured", async (command, args) => {
      await using lab = await Lab.start();
      await using run = await start(lab, command, ...args);
      const at = performance.now();
      lab.server.child.kill("SIGKILL");
      await expectFailure(run, at);
      expect(lab.network.client.pids()).toEqual([]);
    });

    it("end a run whose server hangs", async () => {
      await using lab = await Lab.start();
      await using run = await start(lab, "rr", "-P", "2");
      const at = performance.now();
      lab.server.child.kill("SIGSTOP");
      const { error } = await expectFailure(run, at);
      expect(error?.message).toContain("silent");
      // The server finds out when it is let go on, and serves the next one.
      lab.server.child.kill("SIGCONT");
      expect((await lab.measure("rr", "-l", "100ms", "--warmup", "0")).state).toBe("completed");
    });

    it("tell the client at once where the server is asked to stop", async () => {
      await using lab = await Lab.start();
      await using run = await start(lab, "stream", "-P", "2");
      lab.server.child.kill("SIGTERM");
      const { code, stdout, stderr } = await run.finished;
      expect(code).toBe(1);
      expect(resultOf({ stdout })).toMatchObject({ state: "failed", error: { code: "ERR_CLOSED" } });
      expect(stderr).toMatch(/\ncnb-load: the server: the server is shutting down\n$/);
      expect((await lab.server.finished).code).toBe(0);
    });
  });

  describe.concurrent("of the client", options, () => {
    it.each(TESTS)("leave nothing on the server when a %s run %j is killed", async (command, args) => {
      await using lab = await Lab.start();
      const before = Resources.of(lab.server);
      await using run = await start(lab, command, ...args);
      expect(sessionThreads(lab.server.pid)).not.toEqual([]);
      run.child.kill("SIGKILL");
      await before.restored(FREED_MS);
      await lab.server.saying("stdout", /\n\S+: (?:tcp|udp)_\w+, [^\n]*, failed: [^\n]+\n/);
      expect((await lab.measure(command, "-l", "100ms", "--warmup", "0")).state).toBe("completed");
    });

    it("leave nothing on the server when it hangs, and it learns that it was given up", async () => {
      await using lab = await Lab.start();
      const before = Resources.of(lab.server);
      await using run = await start(lab, "rr", "-P", "4", "--engine", "epoll");
      const at = performance.now();
      run.child.kill("SIGSTOP");
      await before.restored(FREED_MS);
      run.child.kill("SIGCONT");
      await expectFailure(run, at);
    });
  });

  describe.concurrent("of the link", options, () => {
    const ways: [string, (lab: Lab) => void][] = [
      ["is set down at the client", ({ network }) => network.client.setLink("down")],
      ["is set down at the server", ({ network }) => network.server.setLink("down")],
      ["is deleted", ({ network }) => network.client.deleteLink()],
    ];
    const cases = TESTS.map(([test, args], index) => [test, args, ...ways[index % ways.length]!] as const);

    it.each(cases)("end a %s run %j on both hosts when it %s", async (command, args, _way, cut) => {
      await using lab = await Lab.start();
      const before = Resources.of(lab.server);
      await using run = await start(lab, command, ...args);
      const at = performance.now();
      cut(lab);
      await Promise.all([expectFailure(run, at), before.restored(FREED_MS)]);
      expect(lab.network.client.pids()).toEqual([]);
      expect(isAlive(lab.server.pid)).toBe(true);
    });

    it("are survived when they are short", async () => {
      await using lab = await Lab.start();
      await using run = lab.client("rr", "-P", "2", "-l", "3s", "--warmup", "0", "-i", "100ms");
      await run.saying("stderr", / s {2}/);
      lab.network.server.setLink("down");
      await delay(700);
      lab.network.server.setLink("up");
      const finished = await run.finished;
      expect(finished.code, finished.stderr).toBe(0);
      const { transactions, latency } = resultOf(finished);
      expect(transactions?.count).toBeGreaterThan(0);
      expect(latency?.maxNs).toBeGreaterThan(600e6);
    });
  });
});

describeIf(rootAndNetns())("after an outage", () => {
  it("a server that lost its link serves whoever comes once it is back", async () => {
    await using lab = await Lab.start();
    const before = Resources.of(lab.server);
    await using run = await start(lab, "crr", "-P", "4");
    lab.network.server.setLink("down");
    await expectFailure(run, performance.now());
    await before.restored(FREED_MS);
    lab.network.server.setLink("up");
    await until(() => lab.network.client.run("cat", "/sys/class/net/cnb0/operstate") === "up\n", "the link is up");
    expect((await lab.measure("crr", "-l", "100ms", "--warmup", "0")).state).toBe("completed");
  });
});
