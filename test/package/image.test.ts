/** The container image of deploy/: put together, and run as its pods are, in two network namespaces. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Network } from "../support/netns.js";
import { Program } from "../support/program.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { checked } from "../support/result-schema.js";
import { assembleImage, inContainer } from "./container.js";
import { POD_ARGS } from "./manifests.js";
import { exec, prebuild } from "./support.js";

describeIf(rootAndNetns())("the image", () => {
  let folder: string;
  let root: string;
  let network: Network;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cnb-load-image-"));
    // The container's user must come as far as the image.
    await exec("chmod", ["755", folder]);
    await prebuild();
    root = await assembleImage(folder);
    network = new Network();
  }, 600_000);

  afterAll(async () => {
    network[Symbol.dispose]();
    await rm(folder, { recursive: true, force: true });
  });

  function container(side: "client" | "server", ...args: string[]): Program {
    return new Program(inContainer(root, network[side], args));
  }

  it("measures between two pods, as the manifests start them", async () => {
    await using server = container("server", "cnb-load", ...POD_ARGS);
    await server.saying("stdout", /listening on /);
    const [address = ""] = network.server.ipv4;
    for (const test of ["stream", "rr", "crr", "udp-rr"]) {
      await using client = container("client", "cnb-load", test, address, "-l", "200ms", "--warmup", "50ms", "--json");
      const { code, stdout, stderr } = await client.finished;
      expect(code, stderr).toBe(0);
      expect(checked(JSON.parse(stdout)).state).toBe("completed");
    }
    server.child.kill("SIGTERM");
    expect((await server.finished).code).toBe(0);
  });

  it("has netperf's commands", async () => {
    await using server = container("server", "cnb-netserver", "-D");
    await server.saying("stdout", /\d{4,5}/);
    const [address = ""] = network.server.ipv4;
    await using client = container("client", "cnb-netperf", "-H", address, "-t", "TCP_RR", "-l", "1");
    const { code, stdout, stderr } = await client.finished;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("TCP REQUEST/RESPONSE TEST");
  });

  it("writes its results where its user may, and has no charts", async () => {
    await using server = container("server", "cnb-load", "server");
    await server.saying("stdout", /listening on /);
    const script = [
      `const { execFileSync: run } = require("node:child_process");`,
      `const bin = "/usr/local/bin/cnb-load";`,
      `run(bin, ["rr", "${network.server.ipv4[0] ?? ""}", "-l", "100ms", "--warmup", "0", "--json", "/results/a.json"]);`,
      `process.stdout.write(run(bin, ["report", "/results/a.json", "--format", "csv"]));`,
      `for (const path of ["/a", "/opt/cnb-load/a"]) try { require("node:fs").writeFileSync(path, "") } catch ({ code }) { console.log(code) }`,
      `console.log(/CapEff:\\s*(\\w+)/.exec(require("node:fs").readFileSync("/proc/self/status", "utf8"))[1]);`,
      `console.log(process.getuid(), require("node:fs").existsSync("/bin/sh"));`,
      `try { run(bin, ["report", "/results/a.json", "--format", "html"], { stdio: "pipe" }) } catch (error) { console.log(String(error.stderr)) }`,
    ];
    await using client = container("client", "/nodejs/bin/node", "-e", script.join("\n"));
    const { code, stdout, stderr } = await client.finished;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("tcp_rr");
    expect(stdout).toContain("EROFS\nEROFS\n0000000000000000\n65532 false\n");
    expect(stdout).toContain("npm install echarts");
  });
});
