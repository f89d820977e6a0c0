/** Workers run where they were told to, seen from outside while they run. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadAddon } from "../../src/native/index.js";
import type { Cli } from "../support/program.js";
import { DEVICE } from "../support/netns.js";
import { preferredNode, threads } from "../support/processes.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { resultOf } from "../support/result-schema.js";
import { Lab } from "./lab.js";

const ENDLESS = ["--duration", "10m", "--warmup", "0", "--interval", "50ms"];

/** "cnb-worker-0" to "cnb-worker-N" with the CPUs that the kernel lets them run on. */
function workersOf({ pid }: Cli): Record<string, string> {
  const workers = threads(pid).filter(({ name }) => name.startsWith("cnb-worker-"));
  return Object.fromEntries(workers.map(({ name, allowedCpus }) => [name, allowedCpus]));
}

/** Nodes of the workers' memory, undefined where the kernel lets nobody choose. */
function nodesOf({ pid }: Cli): number[] | undefined {
  const workers = threads(pid).filter(({ name }) => name.startsWith("cnb-worker-"));
  const nodes = workers.map((worker) => preferredNode(pid, worker));
  return nodes.includes(-1) ? undefined : nodes;
}

function named(cpus: readonly number[]): Record<string, string> {
  return Object.fromEntries(cpus.map((cpu, index) => [`cnb-worker-${index}`, String(cpu)]));
}

describeIf(rootAndNetns())("workers", () => {
  const allowed = loadAddon().allowedCpus();
  const [first = 0] = allowed;
  const last = allowed.at(-1) ?? first;
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  it.each([
    ["stream", ["-P", "2", "--engine", "block"], [last, last], [first, first]],
    ["rr", ["-P", "3", "--engine", "epoll", "--threads", "1"], [last], [first]],
    ["crr", ["-P", "4", "--engine", "epoll", "--threads", "3"], [last, last, last], [first]],
  ])("of %s %j are pinned to the CPUs asked for", async (command, shape, client, server) => {
    const cpus = ["--cpus", String(last), "--server-cpus", String(first)];
    await using run = lab.client(command, ...ENDLESS, ...shape, ...cpus);
    await run.saying("stderr", / s {2}/);
    expect(workersOf(run)).toEqual(named(client));
    expect(workersOf(lab.server)).toEqual(named(server));
    const nodes = { local: nodesOf(run), remote: nodesOf(lab.server) };
    run.child.kill("SIGINT");
    const { workers, flows } = resultOf(await run.finished);
    expect(workers).toMatchObject({ local: { cpus: client }, remote: { cpus: server } });
    for (const end of ["local", "remote"] as const) expect(workers[end]?.memoryNodes).toEqual(nodes[end]);
    expect(new Set(flows.map(({ cpu }) => cpu))).toEqual(new Set(client));
    if (command !== "crr") expect(new Set(flows.map(({ remoteCpu }) => remoteCpu))).toEqual(new Set(server));
  });

  it("are told apart from the CPUs on which packets come in, and RPS is told", async () => {
    const queue = `/sys/class/net/${DEVICE}/queues/rx-0/rps_cpus`;
    const steer = (cpus: bigint): string => lab.network.server.run("sh", "-c", `echo ${cpus.toString(16)} > ${queue}`);
    const shape = ["-l", "300ms", "--warmup", "100ms", "--cpus", String(first), "--server-cpus", String(first)];
    const flows = (count: number, cpu: number): object => ({ incoming: [{ cpu, flows: count }] });
    steer(1n << BigInt(last));
    try {
      for (const [command, count] of [
        ["rr", 3],
        ["stream", 2],
        ["maerts", 1],
        ["udp-rr", 2],
      ] as const) {
        const result = await lab.measure(command, ...shape, "-P", String(count));
        expect(result.workers.remote).toMatchObject(flows(count, last));
        expect(result.host).toMatchObject({ local: { rpsCpus: [] }, remote: { rpsCpus: [last] } });
      }
    } finally {
      steer(0n);
    }
    // veth has no interrupt: without RPS the CPU of the sender receives, too.
    const result = await lab.measure("rr", ...shape);
    expect(result.workers).toMatchObject({ local: flows(1, first), remote: flows(1, first) });
    expect(result.flows).toMatchObject([{ incomingCpu: first, remoteIncomingCpu: first }]);
    expect(result.host.remote).toMatchObject({ rpsCpus: [] });
    expect((await lab.measure("crr", ...shape)).workers.local).not.toHaveProperty("incoming");
  });

  it("are spread over the CPUs that the process may use, each pinned to one", async () => {
    await using run = lab.client("rr", ...ENDLESS, "-P", String(2 * allowed.length), "--engine", "epoll");
    await run.saying("stderr", / s {2}/);
    for (const end of [run, lab.server]) {
      const placed = Object.values(workersOf(end)).map(Number);
      expect(placed.sort((a, b) => a - b)).toEqual(allowed);
    }
    run.child.kill("SIGINT");
    expect((await run.finished).code).toBe(130);
  });

  it("cannot be had on CPUs that the process may not use", async () => {
    const { code, stderr } = await lab.finish("rr", "--cpus", "8191");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cnb-load: --cpus: CPU 8191 cannot be used; this process may use [\d,-]+\n$/);
  });
});
