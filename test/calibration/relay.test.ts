/** Latency against a path of known delay: a relay in user space that holds every byte for 5 ms each way. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadAddon } from "../../src/native/index.js";
import type { LatencySummary, Result } from "../../src/result/model.js";
import { startServer } from "../integration/lab.js";
import { checkResult } from "../integration/invariants.js";
import { Network } from "../support/netns.js";
import { Cli, Program } from "../support/program.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { resultOf } from "../support/result-schema.js";
import { keepAwake } from "./awake.js";
import { undisturbed } from "./undisturbed.js";

const RELAY = join(import.meta.dirname, "programs/relay.py");
const HOLD_MS = 5;
/** Any would do: the namespace is this test's own. */
const DATA_PORT = "20001";
const MS = 1e6;

describeIf(rootAndNetns())("over a relay that holds every byte for 5 ms", () => {
  const allowed = loadAddon().allowedCpus();
  const [workerCpu = 0] = allowed;
  // One that no worker has, where there is more than one.
  const relayCpu = allowed.at(-1) ?? workerCpu;
  const open: AsyncDisposable[] = [];
  let network: Network;
  let port: string;
  beforeAll(async () => {
    network = new Network();
    const lab = await startServer(network.server, "--data-port", DATA_PORT);
    open.push(lab.server);
    port = lab.port;
    // It stands on the client's host, under the address that the client takes for the server's.
    const [target = ""] = network.server.ipv4;
    const args = [RELAY, String(HOLD_MS), String(relayCpu), "127.0.0.1", target, port, DATA_PORT];
    const relay = new Program(["python3", ...args], { prefix: network.client.prefix });
    open.push(relay, await keepAwake());
    await relay.saying("stdout", /^ready/);
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one[Symbol.asyncDispose]()));
    network[Symbol.dispose]();
  });

  const measure = (command: string, ...args: string[]): Promise<Result> =>
    undisturbed(() => measureOnce(command, ...args));

  async function measureOnce(command: string, ...args: string[]): Promise<Result> {
    const cpus = ["--cpus", String(workerCpu), "--server-cpus", String(workerCpu)];
    const window = ["--duration", "2s", "--warmup", "200ms"];
    const run = [command, "127.0.0.1", "--port", port, "--json", ...window, ...cpus, ...args];
    await using client = new Cli(run, { prefix: network.client.prefix });
    const finished = await client.finished;
    expect(finished.code, finished.stderr).toBe(0);
    const result = resultOf(finished);
    checkResult(result);
    return result;
  }

  /** Never less than the relay holds a byte there and back; the median little more. */
  function expectHeld(latency: LatencySummary | undefined, mostMs = 10.6): void {
    expect(latency?.minNs).toBeGreaterThanOrEqual(2 * HOLD_MS * MS);
    expect(latency?.p50Ns).toBeLessThanOrEqual(mostMs * MS);
  }

  it.each([["block"], ["epoll"]])("rr with engine %s takes 10 ms", async (engine) => {
    const { latency, transactions } = await measure("rr", "--engine", engine);
    expectHeld(latency);
    expect(transactions?.perSecond).toBeLessThanOrEqual(100);
  });

  it("crr connects at once and is answered after 10 ms", async () => {
    const { latency, connectLatency, requestLatency } = await measure("crr");
    // The relay's kernel accepts by itself. The end of the connection is held just as long as the last byte before it.
    expect(connectLatency?.p50Ns).toBeLessThan(1 * MS);
    // Relay and server have yet to accept while the request is on its way.
    expectHeld(requestLatency, 10.9);
    expect(latency?.minNs).toBeGreaterThanOrEqual(2 * HOLD_MS * MS);
    expect(latency?.p50Ns).toBeLessThanOrEqual(11.2 * MS);
  });

  it("an open loop that has room takes no longer", async () => {
    const { latency, openLoop } = await measure("rr", "--rate", "100/s", "--flows", "20", "--spacing", "constant");
    expectHeld(latency);
    expect(openLoop?.backlog).toBeLessThanOrEqual(20);
  });
});
