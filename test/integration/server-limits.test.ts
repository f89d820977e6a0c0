/** What a server grants, by whatever protocol it is asked, and what it needs itself. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { Cli, type ProgramOptions } from "../support/program.js";
import { allOf, command, describeIf, requirement } from "../support/requires.js";
import { resultOf } from "../support/result-schema.js";
import { checkResult } from "./invariants.js";

const QUICK = ["--duration", "200ms", "--warmup", "50ms"];
const TESTS = ["stream", "maerts", "rr", "crr", "cc", "udp-stream", "udp-rr"];

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function start(args: readonly string[], options: ProgramOptions = {}): Cli {
  const program = new Cli(args, options);
  cleanUps.push(() => program[Symbol.asyncDispose]());
  return program;
}

async function serve(args: readonly string[], options: ProgramOptions = {}): Promise<{ server: Cli; port: string }> {
  const server = start(["server", "--host", "127.0.0.1", "--port", "0", ...args], options);
  const [, port = ""] = await server.saying("stdout", /^cnb-load server listening on 127\.0\.0\.1:(\d+)\n/);
  return { server, port };
}

const client = (port: string, test: string, ...args: string[]) => start([test, "127.0.0.1", "-p", port, ...args]);
const netperf = (port: string, ...args: string[]) =>
  start(["netperf", "-H", "127.0.0.1", "-p", port, "-P", "0", "-v", "0", ...args]);

describe("--max-bandwidth", () => {
  it("takes paced clients, turns away the others, and ends those who send more than they said", async () => {
    const { port } = await serve(["--max-bandwidth", "40M"]);
    for (const test of ["stream", "maerts", "udp-stream"]) {
      const { code, stderr } = await client(port, test, "--bandwidth", "20M", ...QUICK).finished;
      expect(code, stderr).toBe(0);
      const unpaced = await client(port, test, ...QUICK).finished;
      expect([unpaced.code, unpaced.stderr]).toEqual([
        4,
        "cnb-load: the server: --bandwidth: this server allows 40 Mbit/s per session and direction (--max-bandwidth), no pace was asked for; give at most that\n",
      ]);
    }
    const large = ["--request", "64K", "--response", "64K", "-P", "8", "--warmup", "5m"];
    const excessive = await client(port, "rr", ...large).finished;
    expect(excessive.code).toBe(4);
    expect(excessive.stderr).toMatch(
      /allows 40 Mbit\/s per session and direction \(--max-bandwidth\), and more came\n$/,
    );
  });

  it("paces what netperf's clients are sent, and ends what they send beyond it", async () => {
    const { server, port } = await serve(["--max-bandwidth", "40M"]);
    const maerts = await netperf(port, "-t", "TCP_MAERTS", "-l", "2").finished;
    expect(maerts.code, maerts.stderr).toBe(0);
    expect(Number(maerts.stdout)).toBeGreaterThan(0);
    // In 10^6 bits per second, with room for what a pacer makes up for; unpaced it would be thousands.
    expect(Number(maerts.stdout)).toBeLessThan(80);
    await netperf(port, "-t", "TCP_STREAM", "-l", "100").finished;
    await server.saying("stdout", /tcp_stream, [^\n]* failed: [^\n]*\n/);
  });
});

describe("sessions", () => {
  it("are counted whatever protocol their clients speak", async () => {
    const { server, port } = await serve(["--max-sessions", "1"]);
    const guest = netperf(port, "-t", "TCP_RR", "-l", "100", "-D", "0.1");
    await guest.saying("stdout", /Interim/);
    const busy = await client(port, "rr", ...QUICK).finished;
    expect([busy.code, busy.stderr]).toEqual([
      4,
      expect.stringMatching(
        /^cnb-load: the server: the server is busy: 1 session is under way \(--max-sessions\); try again in \S+\n$/,
      ),
    ]);
    guest.child.kill("SIGKILL");
    // Its place is free when the server has seen that it is gone.
    await server.saying("stdout", /: tcp_rr, [^\n]*\n/);
    const own = client(port, "rr", "-l", "10m", "-i", "50ms", "--warmup", "0");
    await own.saying("stderr", / s {2}/);
    const turnedAway = await netperf(port, "-t", "TCP_RR", "-l", "1").finished;
    expect(turnedAway.stderr).toMatch(/the server is busy/);
  });

  it("of netperf's clients end a server that serves one, too", async () => {
    const { server, port } = await serve(["--once"]);
    const { code, stderr } = await netperf(port, "-t", "TCP_RR", "-l", "1").finished;
    expect(code, stderr).toBe(0);
    expect((await server.finished).code).toBe(0);
  });
});

describe("--idle-exit", () => {
  it("ends a server that nobody needs", async () => {
    const { server, port } = await serve(["--idle-exit", "5s"]);
    expect((await client(port, "rr", ...QUICK).finished).code).toBe(0);
    expect((await server.finished).code).toBe(0);
  });
});

const root = requirement("root", process.getuid?.() === 0);
const NOBODY = 65534;

/** Every test with every engine that this host has, and the server's account of itself. */
async function expectWholeService(port: string): Promise<void> {
  for (const [index, test] of TESTS.entries()) {
    const engine = ["block", "epoll", "spin"][index % 3] ?? "";
    const shape = ["-P", "3", "--engine", engine, "--server-cpus", "0", "--json=-"];
    const finished = await client(port, test, ...shape, ...QUICK).finished;
    expect(finished.code, finished.stderr).toBe(0);
    const result = resultOf(finished);
    checkResult(result);
    expect(result.cpu.remote?.cpus).toBeGreaterThan(0);
  }
  const uring = await client(port, "rr", "--engine", "uring", ...QUICK).finished;
  expect(uring.code, uring.stderr).toBe(0);
  const guest = await netperf(port, "-t", "TCP_CRR", "-l", "1").finished;
  expect(guest.code, guest.stderr).toBe(0);
}

function statusOf({ pid }: Cli): string {
  return readFileSync(`/proc/${pid}/status`, "utf8");
}

describeIf(allOf(root, command("setpriv")))("a server without privileges", () => {
  it("that gave them up serves as ever", async () => {
    const { server, port } = await serve(["--user", "nobody"]);
    const status = statusOf(server);
    for (const id of ["Uid", "Gid"])
      expect(status).toMatch(new RegExp(`^${id}:\\s${Array(4).fill(String(NOBODY)).join("\\s")}$`, "m"));
    expect(status).toMatch(new RegExp(`^Groups:\\s${NOBODY} ?$`, "m"));
    expect(status).toMatch(/^CapEff:\s0+$/m);
    // Every thread of it.
    const threads = spawnSync("sh", ["-c", `grep -h ^Uid: /proc/${server.pid}/task/*/status | sort -u`]);
    expect(threads.stdout.toString().trim().split("\n")).toHaveLength(1);
    await expectWholeService(port);
  });

  it("that never had any serves as ever", async () => {
    // Somebody who may not read this folder has no program to start: then root without a single capability.
    const readable = spawnSync("setpriv", ["--reuid", "nobody", "test", "-r", import.meta.filename]).status === 0;
    const who = readable ? ["--reuid", "nobody", "--regid", String(NOBODY), "--clear-groups"] : ["--inh-caps=-all"];
    const { server, port } = await serve([], { prefix: ["setpriv", "--bounding-set=-all", ...who] });
    expect(statusOf(server)).toMatch(/^CapEff:\s0+$/m);
    await expectWholeService(port);
  });

  it.each([
    ["nobody of that name", ["nonesuch"], /--user: no user "nonesuch" in \/etc\/passwd/],
    ["a user who has them", ["root"], /--user: root has privileges/],
    ["a port that takes them", ["nobody", "--data-port", "80"], /--data-port: 80 takes privileges/],
  ])("cannot be %s", async (_what, args, message) => {
    const { code, stdout, stderr } = await start(["server", "--port", "0", "--user", ...args]).finished;
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
  });
});
