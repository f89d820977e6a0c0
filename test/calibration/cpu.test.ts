/** CPU of the other end, against a program that uses known shares of one of its CPUs. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/index.js";
import { loadAddon } from "../../src/native/index.js";
import { Cli, Program } from "../support/program.js";

const BURNER = join(import.meta.dirname, "programs/burner.py");
const [USER, SYSTEM] = [0.3, 0.2];
const WITHIN = 0.05;
const PAIRS = 5;
/** USER_HZ on every Linux port. */
const TICKS_PER_SECOND = 100;

const NAMES = ["busyCores", "userCores", "systemCores"] as const;
type Cores = Record<(typeof NAMES)[number], number>;

const coresOf = (userCores: number, systemCores: number): Cores => ({
  busyCores: userCores + systemCores,
  userCores,
  systemCores,
});
const difference = (a: Cores, b: Cores): Cores => coresOf(a.userCores - b.userCores, a.systemCores - b.systemCores);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * CPU time of every process but one, with that of the children that each has waited for: proc_pid_stat(5). The kernel keeps it by process,
 * apart from what /proc/stat says of the CPUs.
 */
function readOthers(but: number | undefined): { atMs: number; cores: Cores } {
  let [user, system] = [0, 0];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== but)) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
      user += utime + cutime;
      system += stime + cstime;
    } catch {
      // It ended meanwhile, and its parent has its time now.
    }
  }
  return { atMs: performance.now(), cores: coresOf(user / TICKS_PER_SECOND, system / TICKS_PER_SECOND) };
}

describe("a program that uses half of a CPU of the server's host", () => {
  const cpu = loadAddon().allowedCpus().at(-1) ?? 0;
  let server: Cli;
  let port: number;
  beforeAll(async () => {
    server = new Cli(["server", "--host", "127.0.0.1", "--port", "0"]);
    port = Number((await server.saying("stdout", /:(\d+)\n/))[1]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  /**
   * What the server's host used beside that which the account of its processes knows of; of those but one. Next to nothing goes on in the
   * test itself, but other programs may run on this machine.
   */
  async function unaccounted(but?: number): Promise<Cores> {
    const before = readOthers(but);
    const test = { test: "tcp_rr", host: "127.0.0.1", rate: 20, engine: "epoll" } as const;
    const result = await run({ ...test, port, duration: "1.5s", warmup: 0 });
    const after = readOthers(but);
    const { remote } = result.cpu;
    if (remote === undefined) throw new Error("no CPU of the server");
    const seconds = (after.atMs - before.atMs) / 1000;
    const others = difference(after.cores, before.cores);
    const interrupts = remote.softirqCores + remote.irqCores;
    // Ticks that met an interrupt are the process' system time in its own account.
    const seen = coresOf(remote.userCores, remote.systemCores + interrupts);
    expect(remote.busyCores).toBeCloseTo(seen.busyCores, 9);
    return difference(seen, coresOf(others.userCores / seconds, others.systemCores / seconds));
  }

  /** The same beside the burner, and what that used by its own account. */
  async function withBurner(): Promise<{ seen: Cores; truth: Cores }> {
    const args = [BURNER, String(cpu), String(USER), String(SYSTEM)];
    await using burner = new Program(["python3", ...args], { stdin: "pipe" });
    await burner.saying("stdout", /^ready\n/);
    const seen = await unaccounted(burner.pid);
    burner.child.stdin?.end();
    const { stdout } = await burner.finished;
    const [wall = 0, user = 0, system = 0] = (stdout.split("\n")[1] ?? "").split(" ").map(Number);
    return { seen, truth: coresOf(user / wall, system / wall) };
  }

  it("shows as that much, of its kind", async () => {
    const errors: Cores[] = [];
    const truths: Cores[] = [];
    // Without and with it in turn, and medians, for what no account knows of.
    for (let pair = 0; pair < PAIRS; pair++) {
      const idle = await unaccounted();
      const { seen, truth } = await withBurner();
      errors.push(difference(difference(seen, idle), truth));
      truths.push(truth);
    }
    // On a machine that is all too busy it gets less than it asks for, and says so.
    expect(median(truths.map(({ busyCores }) => busyCores))).toBeGreaterThan(4 * WITHIN);
    for (const name of NAMES) {
      const all = errors.map((error) => error[name]);
      const shown = `${name}: ${all.map((error) => error.toFixed(3)).join(" ")}`;
      expect(Math.abs(median(all)), shown).toBeLessThanOrEqual(WITHIN);
    }
  });
});
