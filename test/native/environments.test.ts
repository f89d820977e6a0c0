/** The addon in worker threads, in processes that end in the midst of a run, under garbage collection, and twice in one process. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { type NativePlan, loadAddon } from "../../src/native/index.js";
import { descriptors, threadNames } from "../support/processes.js";
import { until } from "../support/until.js";
import { Half, Pair, untilWorking } from "./pair.js";
import { clientPlan, serverPlan } from "./plans.js";

const own = process.pid;
const nativeThreads = (): string[] => threadNames(own).filter((name) => name.startsWith("cnb-"));

/** Plans as the programs take them: they fill in the server's port. */
function plans(overrides: Partial<NativePlan> = {}): { server: object; client: object } {
  const server = serverPlan(overrides);
  const client = clientPlan(server, 0);
  return { server: { ...server, cookie: [...server.cookie] }, client: { ...client, cookie: [...client.cookie] } };
}

const ALL: [string, Partial<NativePlan>][] = [
  ["rr, block", { loop: "rr" }],
  ["rr, epoll", { loop: "rr", engine: "epoll" }],
  ["stream, block", { loop: "receive" }],
  ["zero-copy stream, epoll", { loop: "receive", engine: "epoll", zerocopy: "msg" }],
  ["zero-copy stream, uring", { loop: "receive", engine: "uring", zerocopy: "msg" }],
  ["crr, block", { loop: "crr" }],
  ["crr, epoll", { loop: "crr", engine: "epoll" }],
];

const noUring = loadAddon().uringUnavailableReason(true) !== null;
const TESTS = ALL.filter(([, { engine }]) => engine !== "uring" || !noUring);

interface Ending {
  code: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

function runProgram(flags: string[], name: string, ...args: string[]): Promise<Ending> {
  const path = join(import.meta.dirname, "programs", name);
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, path, ...args], { timeout: 15_000 }, (error, stdout, stderr) => {
      resolve({ code: error?.signal ?? (error?.code as number | undefined) ?? 0, stdout, stderr });
    });
  });
}

describe.each(TESTS)("a process in the midst of a run (%s)", (_, overrides) => {
  const json = JSON.stringify(plans(overrides));

  it.each([
    ["calls process.exit()", "exit", { code: 7, stderr: "" }],
    ["throws", "throw", { code: 1, stderr: expect.stringContaining("thrown mid-run") as string }],
    ["rejects", "reject", { code: 1, stderr: expect.stringContaining("rejected mid-run") as string }],
    ["is killed", "kill", { code: "SIGTERM", stderr: "" }],
    ["stops the run, and then has nothing left to wait for", "stop", { code: 0, stderr: "" }],
  ])("ends as it should when it %s", async (_title, mode, expected) => {
    expect(await runProgram([], "endings.mjs", mode, json)).toMatchObject(expected);
  });
});

describe("garbage collection", () => {
  it.each(TESTS)("leaves a running session alone and takes an ended one (%s)", async (_, overrides) => {
    const { stdout, stderr } = await runProgram(["--expose-gc"], "collect.mjs", JSON.stringify(plans(overrides)));
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ aliveDuring: true, aliveAfter: false, descriptorsLeft: 0 });
  });
});

describe("a worker thread", () => {
  async function working(overrides: Partial<NativePlan>): Promise<Worker> {
    const worker = new Worker(join(import.meta.dirname, "programs/worker.mjs"), { workerData: plans(overrides) });
    expect(await once(worker, "message")).toEqual(["working"]);
    return worker;
  }

  it.each(TESTS)("is terminated, exits, throws and finishes in the midst of a run (%s)", async (_, overrides) => {
    const before = descriptors(own).length;
    const [terminated, exiting, throwing, finishing] = await Promise.all([1, 2, 3, 4].map(() => working(overrides)));
    expect(await terminated!.terminate()).toBe(1);

    const exited = once(exiting!, "exit");
    exiting!.postMessage("exit");
    expect(await exited).toEqual([5]);

    const thrown = once(throwing!, "error");
    throwing!.postMessage("throw");
    expect(await thrown).toMatchObject([{ message: "thrown in the worker" }]);

    // The last one is unimpressed by what became of the others.
    const ended = once(finishing!, "exit");
    const told = once(finishing!, "message") as Promise<[number]>;
    finishing!.postMessage("finish");
    const [transactions] = await told;
    expect(transactions > 0).toBe(overrides.loop !== "receive");
    expect(await ended).toEqual([0]);

    await until(() => nativeThreads().length === 0, "no thread is left", { state: () => nativeThreads().join() });
    await until(() => descriptors(own).length <= before, "no descriptor is left");
  });

  it("does not disturb the sessions of the main thread", async () => {
    await using pair = new Pair(serverPlan());
    await pair.ready();
    pair.go();
    pair.client.session.openWindow();
    const worker = await working({ loop: "crr", engine: "epoll" });
    await worker.terminate();
    const { transactions } = pair.client.session.snapshot(false).counters;
    await untilWorking(pair.client, transactions + 20);
    expect(await pair.client.stop()).toBeNull();
  });
});

describe("one process", () => {
  it("runs many sessions at once and still has its thread pool", async () => {
    // More than the pool has threads, by default 4.
    const pairs = TESTS.flatMap(([, overrides]) => [new Pair(serverPlan(overrides)), new Pair(serverPlan(overrides))]);
    for (const pair of pairs) {
      for (const { session } of pair.halves) session.openWindow();
      pair.go();
    }
    await Promise.all(pairs.map((pair) => untilWorking(pair.client)));
    expect((await stat(import.meta.filename)).isFile()).toBe(true);
    const faults = await Promise.all(pairs.map((pair) => pair.client.stop()));
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
    await Promise.all(pairs.map((pair) => pair.stop()));
  });

  it("holds two copies of the addon that talk to each other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cnb-load-native-"));
    try {
      const copy = join(folder, "copy.node");
      const built = process.env["CNB_LOAD_ADDON"] ?? join(import.meta.dirname, "../../build/Release/cnb_load.node");
      await copyFile(built, copy);
      const addon = loadAddon({
        platform: "linux",
        arch: process.arch,
        override: copy,
        load: createRequire(import.meta.url),
      });
      expect(addon.Session).not.toBe(loadAddon().Session);
      const server = new Half(serverPlan());
      const client = new Half(clientPlan(serverPlan(), server.session.port), addon);
      for (const { session } of [server, client]) {
        session.openWindow();
        session.go();
      }
      await untilWorking(client);
      expect(await client.stop()).toBeNull();
      await server.stop();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
