/** The examples, copied into an empty folder as their readers would, and run. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { Network } from "../support/netns.js";
import { Cli, Program } from "../support/program.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { checked } from "../support/result-schema.js";
import { exec, ROOT } from "./support.js";

let folder: string;
let server: Cli;
let port: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-examples-"));
  await cp(join(ROOT, "examples"), folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  // What only an example needs is fetched for it.
  await exec("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--prefix", folder, "express@5"]);
  await symlink(ROOT, join(folder, "node_modules/cnb-load"));
  await symlink(join(ROOT, "node_modules/vitest"), join(folder, "node_modules/vitest"));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  server = new Cli(["server", "--host", "127.0.0.1", "--port", "0"]);
  [, port = ""] = await server.saying("stdout", /listening on 127\.0\.0\.1:(\d+)/);
});
afterEach(() => server[Symbol.asyncDispose]());

const example = (name: string, ...args: string[]) => new Program([process.execPath, join(folder, name), ...args]);

async function outputOf(program: Program): Promise<string> {
  await using running = program;
  const { stdout, stderr, code } = await running.finished;
  expect(code, stderr).toBe(0);
  return stdout;
}

describe("the example", () => {
  it("network.test.js passes", async () => {
    const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
    const env = ["env", "HOST=127.0.0.1", `PORT=${port}`, "P99_MS=5000", "NO_COLOR=1"];
    const output = await outputOf(new Program([...env, process.execPath, vitest, "run", "--root", folder]));
    expect(output).toContain("2 passed");
  });

  it("express-endpoint.js answers with results and with errors", async () => {
    await using service = example("express-endpoint.js", "0");
    const [, url = ""] = await service.saying("stdout", /listening on (\S+)/);
    const good = await fetch(`${url}/measure?test=tcp_rr&host=127.0.0.1&port=${port}&flows=2&duration=200ms`);
    expect(good.status).toBe(200);
    expect(checked(await good.json()).spec.flows).toBe(2);
    const bad = await fetch(`${url}/measure?test=tcp_rr&host=127.0.0.1&port=${port}&flows=0`);
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ code: "ERR_INVALID_OPTION" });
  });

  it("worker-thread.js tells of intervals and of the result", async () => {
    const output = await outputOf(example("worker-thread.js", "127.0.0.1", port));
    expect(output).toMatch(/^(\d+ requests\/s\n){3,}completed: p99 [\d.]+ us\n$/);
    expect(await outputOf(example("worker-thread.js"))).toContain("completed");
  });

  it("csv-collector.js adds rows to what is there", async () => {
    const file = join(folder, "runs.csv");
    await outputOf(example("csv-collector.js", file, "1", "127.0.0.1", port));
    await outputOf(example("csv-collector.js", file, "1", "127.0.0.1", port));
    const [head = "", ...rows] = (await readFile(file, "utf8")).trim().split("\n");
    expect(rows.map((row) => row.split(",")[1])).toEqual(["tcp_rr", "tcp_crr", "tcp_rr", "tcp_crr"]);
    for (const row of rows) expect(row.split(",")).toHaveLength(head.split(",").length);
  });
});

describeIf(rootAndNetns())("between two hosts, the example", () => {
  it("two-hosts.js measures from one to the other and leaves no server", async () => {
    using network = new Network();
    const shims = join(folder, "shims");
    await mkdir(shims);
    // Namespaces in the place of hosts. Options of ssh come before its host.
    const ssh = '#!/bin/sh\nwhile [ "$1" = -tt ]; do shift; done\nhost=$1; shift\nexec ip netns exec "$host" "$@"\n';
    await writeFile(join(shims, "ssh"), ssh, { mode: 0o755 });
    await symlink(join(ROOT, "dist/cli/main.js"), join(shims, "cnb-load"));
    const hosts = [network.server.name, network.client.name] as const;
    const env = ["env", `PATH=${shims}:${process.env["PATH"] ?? ""}`];
    const [address = ""] = network.server.ipv4;
    const output = await outputOf(
      new Program([...env, process.execPath, join(folder, "two-hosts.js"), ...hosts, address]),
    );
    for (const test of ["stream", "rr", "crr"])
      expect(output).toMatch(new RegExp(`^${hosts.join(" ")} ${test} \\d+`, "m"));
    expect(network.server.run("ss", "-Htln")).toBe("");
  });
});
