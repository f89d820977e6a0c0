/** Either end is killed, or the wire between them goes dead, at every message of a session. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/run/index.js";
import { Cli } from "../support/program.js";
import { resultOf } from "../support/result-schema.js";
import { HOST, Site } from "./site.js";
import { PHASES, Proxy, isMeasuring } from "./proxy.js";

/** In such an order that those of bulk data come where samples do: others have none. */
const TESTS = ["stream", "crr", "rr", "maerts", "udp-stream", "udp-rr"] as const;
const ENGINES = ["block", "epoll", "spin"] as const;
/** Long enough for a sample, and then over by itself. */
const LENGTH = ["--warmup", "20ms", "--duration", "300ms", "--interval", "50ms"];

const cases = PHASES.map((phase, index) => {
  const [test, engine] = [TESTS[index % TESTS.length]!, ENGINES[index % ENGINES.length]!];
  return [phase, test, engine] as const;
});

function client(port: number, test: string, engine: string): Cli {
  return new Cli([test, HOST, "-p", String(port), "-P", "2", "--engine", engine, "--json", ...LENGTH]);
}

describe("a client that is killed", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.start();
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it.each(cases)("when %s is due (%s, %s) leaves nothing on the server", async (phase, test, engine) => {
    await using proxy = await Proxy.start(site.port, phase, () => victim.child.kill("SIGKILL"));
    await using victim = client(proxy.port, test, engine);
    await proxy.reached;
    expect((await victim.finished).code).toBe("SIGKILL");
    await proxy[Symbol.asyncDispose]();
    await site.unharmed();
  });
});

describe("a server that is killed", () => {
  it.each(cases)("when %s is due (%s, %s) leaves the client what it has measured", async (phase, test, engine) => {
    await using server = new Cli(["server", "--host", HOST, "--port", "0"]);
    const [, port] = await server.saying("stdout", /listening on 127\.0\.0\.1:(\d+)\n/);
    await using proxy = await Proxy.start(Number(port), phase, (pair) => {
      server.child.kill("SIGKILL");
      pair.server.destroy();
      pair.client.destroy();
    });
    await using program = client(proxy.port, test, engine);
    await proxy.reached;
    const { code, stdout, stderr } = await program.finished;
    expect(stderr).toMatch(/(^|\n)cnb-load: [^\n]+\n$/);
    expect([1, 3]).toContain(code);
    if (!isMeasuring(phase)) return;
    const { state, window, transactions, throughput, datagrams } = resultOf({ stdout });
    expect(state).toBe("failed");
    expect(window.durationNs).toBeGreaterThan(0);
    expect(transactions?.count ?? throughput?.sender?.bytes ?? throughput?.bytes ?? datagrams?.sent).toBeGreaterThan(0);
  });
});

describe("a wire that goes dead", () => {
  it("at any message frees both ends", async () => {
    await using site = await Site.start();
    const outcomes = await Promise.all(
      cases.map(async ([phase, test, engine]) => {
        await using proxy = await Proxy.start(site.port, phase);
        const name = test.startsWith("udp") ? test.replace("-", "_") : `tcp_${test}`;
        const going = run({
          ...{ test: name as "tcp_rr", engine, host: HOST, port: proxy.port, flows: 1 },
          ...{ warmup: "20ms", duration: "300ms", interval: "50ms" },
        });
        const error = await going.then(
          () => undefined,
          (reason: unknown) => reason as { code: string; result?: { window: { durationNs: number } } },
        );
        return { phase, code: error?.code, measured: (error?.result?.window.durationNs ?? 0) > 0 };
      }),
    );
    for (const { phase, code, measured } of outcomes) {
      expect(code, phase).toMatch(/^ERR_(PEER_LOST|TIMEOUT|TRAFFIC)$/);
      if (isMeasuring(phase)) expect(measured, phase).toBe(true);
    }
    await site.unharmed();
  });
});
