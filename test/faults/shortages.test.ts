/** What a host runs out of: descriptors, memory, room on the disk, the right time. Ports are in test/integration/ports.test.ts. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Cli, type Finished, type ProgramOptions } from "../support/program.js";
import { allOf, command, itIf, requirement } from "../support/requires.js";
import { resultOf } from "../support/result-schema.js";
import { until } from "../support/until.js";
import { HOST, Site } from "./site.js";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** Goes before a command. */
const limited = (limit: string): ProgramOptions => ({
  prefix: ["sh", "-c", `ulimit ${limit} && exec "$@"`, "sh"],
});

async function client(args: readonly string[], options: ProgramOptions = {}): Promise<Finished> {
  await using program = new Cli(args, options);
  return await program.finished;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "cnb-load-faults-"));
  cleanUps.push(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

it("descriptors that strangers have taken are there again when they are gone", async () => {
  await using site = await Site.start([], limited("-n 120"));
  const strangers: Socket[] = [];
  for (let i = 0; i < 300; i++) {
    const stranger = connect(site.port, HOST).on("error", () => undefined);
    await Promise.race([once(stranger, "connect"), once(stranger, "close")]);
    strangers.push(stranger);
  }
  for (const stranger of strangers) stranger.destroy();
  await site.unharmed();
});

/** Three times what the server may take below. */
const LARGE = ["--send-size", "16M", "-P", "24", "--engine", "block"];
const QUICK = ["--duration", "100ms", "--warmup", "0"];

it("memory that the server is not given is told to the client, and the server goes on", async () => {
  await using site = await Site.start([], limited("-d 150000"));
  const finished = await client(["maerts", HOST, "-p", String(site.port), ...LARGE, ...QUICK]);
  // For a buffer, or for a worker's own stack.
  expect(finished).toMatchObject({ code: 4, stdout: "" });
  expect(finished.stderr).toMatch(/^cnb-load: the server: [^\n]*(memory|ENOMEM)[^\n]*\n$/i);
  await site.unharmed();
});

/** A group whose processes may take so much memory; undefined where none can be made. */
function memoryGroup(bytes: number): string | undefined {
  const name = `cnbl-faults-${process.pid}`;
  for (const [root, file] of [
    ["/sys/fs/cgroup", "memory.max"],
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
  ] as const) {
    const path = join(root, name);
    try {
      mkdirSync(path);
    } catch {
      continue;
    }
    // An ordinary folder where groups are elsewhere, and no such file where the controller is not there.
    if (existsSync(join(path, file))) {
      writeFileSync(join(path, file), String(bytes));
      return path;
    }
    rmdirSync(path);
  }
  return undefined;
}

const groups = (() => {
  const path = memoryGroup(1 << 30);
  if (path !== undefined) rmdirSync(path);
  return requirement("root and a memory cgroup", path !== undefined);
})();

itIf(groups)(
  "a server whose cgroup has no memory left is ended by the kernel, and its client has what it measured",
  async () => {
    const group = memoryGroup(200e6) ?? "";
    cleanUps.push(() => {
      rmdirSync(group);
    });
    const prefix = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group];
    await using server = new Cli(["server", "--host", HOST, "--port", "0"], { prefix });
    const [, port = ""] = await server.saying("stdout", /:(\d+)\n/);
    await using running = new Cli(["rr", HOST, "-p", port, "--json", "-l", "10m", "--warmup", "0", "-i", "50ms"]);
    await running.saying("stderr", / s {2}/);
    await client(["maerts", HOST, "-p", port, ...LARGE, ...QUICK]);
    expect((await server.finished).code).toBe("SIGKILL");
    const { code, stdout } = await running.finished;
    expect(code).toBe(1);
    const { state, transactions, window } = resultOf({ stdout });
    expect(state).toBe("failed");
    expect(transactions?.count).toBeGreaterThan(0);
    expect(window.durationNs).toBeGreaterThan(0);
    // Its last process has gone, and the kernel needs a moment to know.
    await until(() => readFileSync(join(group, "cgroup.procs"), "utf8") === "", "the group is empty");
  },
);

const mounts = (() => {
  const path = mkdtempSync(join(tmpdir(), "cnb-load-probe-"));
  const met = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]).status === 0;
  if (met) spawnSync("umount", [path]);
  rmdirSync(path);
  return requirement("root and mount", met);
})();

itIf(mounts)("a disk that is full costs the file and not the result", async () => {
  await using site = await Site.start();
  const path = folder();
  expect(spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]).status).toBe(0);
  cleanUps.push(() => spawnSync("umount", [path]));
  const old = join(path, "result.json");
  writeFileSync(old, "what was there before");
  expect(() => {
    writeFileSync(join(path, "filler"), Buffer.alloc(1 << 20));
  }).toThrow(/ENOSPC/);
  const { code, stdout, stderr } = await client(["rr", HOST, "-p", String(site.port), "--json", old, ...QUICK]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/cnb-load: cannot write [^\n]*ENOSPC[^\n]*\n$/);
  expect(stdout).toMatch(/transactions/);
  expect(readFileSync(old, "utf8")).toBe("what was there before");
  expect(readdirSync(path).toSorted()).toEqual(["filler", "result.json"]);
  await site.unharmed();
});

/** The host's clock is not touched: the C library's calls are answered with a time that jumps by days, back and forth. */
const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>
static long leap(void) { static unsigned calls; return (__sync_fetch_and_add(&calls, 1) % 3 - 1L) * 30 * 86400; }
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) at->tv_sec += leap();
  return result;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
`;

itIf(allOf(command("cc")))("a clock that jumps by a month at every look measures, and serves, as ever", async () => {
  const path = folder();
  const shim = join(path, "clock.so");
  const source = join(path, "clock.c");
  writeFileSync(source, SHIM);
  const built = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], { encoding: "utf8" });
  expect(built.status, built.stderr).toBe(0);
  const jumping: ProgramOptions = { prefix: ["env", `LD_PRELOAD=${shim}`] };
  // It does jump.
  const twice = "const a = Date.now(); let b; do b = Date.now(); while (b === a); console.log(Math.abs(b - a) > 864e5)";
  const { stdout: jumps } = spawnSync("env", [`LD_PRELOAD=${shim}`, process.execPath, "-e", twice], {
    encoding: "utf8",
  });
  expect(jumps).toBe("true\n");
  await using site = await Site.start([], jumping);
  for (const test of ["rr", "crr", "stream", "udp-rr"]) {
    const timed = ["--warmup", "50ms", "--duration", "500ms", "--interval", "100ms", "--json"];
    const finished = await client([test, HOST, "-p", String(site.port), ...timed], jumping);
    expect(finished.code, finished.stderr).toBe(0);
    const { state, window, intervals, latency } = resultOf(finished);
    expect(state).toBe("completed");
    expect(window.durationNs).toBeGreaterThanOrEqual(500e6);
    expect(window.durationNs).toBeLessThan(5e9);
    for (const { durationNs } of intervals) expect(durationNs).toBeLessThan(5e9);
    if (latency !== undefined) expect(latency.maxNs).toBeLessThan(10e9);
  }
  await site.unharmed();
});
