// A suite that holds a network to what it must do: npx vitest run network.test.js
// HOST and PORT name a cnb-load server, P99_MS what is expected of it; without them the test measures loopback, against a server of its own.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run, serve } from "cnb-load";

const p99Ms = Number(process.env.P99_MS ?? 100);
let target = { host: process.env.HOST, port: Number(process.env.PORT ?? 12865) };
let server;

beforeAll(async () => {
  if (target.host !== undefined) return;
  server = await serve({ host: "127.0.0.1", port: 0 });
  target = { host: "127.0.0.1", port: server.port };
});
afterAll(() => server?.close());

describe("the network", () => {
  it(`answers 99 of 100 requests within ${p99Ms} ms while 8 flows are open`, async () => {
    const { state, latency } = await run({ test: "tcp_rr", ...target, flows: 8, duration: "2s", warmup: "200ms" });
    expect(state).toBe("completed");
    expect(latency.p99Ns).toBeLessThan(p99Ms * 1e6);
  }, 30_000);

  it("carries most of 10 Mbit/s without a drop at the interface", async () => {
    const paced = { bandwidth: "10M", sendSize: 1200 };
    const { throughput, network } = await run({ test: "tcp_stream", ...target, ...paced, duration: "2s" });
    expect(throughput.bitsPerSecond).toBeGreaterThan(5e6);
    expect(network.local.interface?.receiveDrops ?? 0).toBe(0);
  }, 30_000);
});
