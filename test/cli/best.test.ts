import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resultOf } from "../support/result-schema.js";
import { type Cli, cli, startServer } from "./support.js";

let server: Cli;
let port: string;
beforeAll(async () => {
  ({ server, port } = await startServer("--quiet"));
});
afterAll(async () => {
  server.child.kill("SIGTERM");
  await server.finished;
});

describe("--best", () => {
  it("tells each probe, and measures with what they chose", async () => {
    const short = ["--duration", "200ms", "--warmup", "50ms", "--port", port];
    const { stdout, stderr, code } = await cli("crr", "127.0.0.1", "--best", "--json", ...short);
    expect(code).toBe(0);
    const { best, spec, engine, state } = resultOf({ stdout });
    expect(state).toBe("completed");
    expect(best?.probes.length).toBeGreaterThanOrEqual(4);
    for (const probe of best?.probes ?? []) expect(probe).toMatchObject({ perSecond: expect.any(Number) as number });
    expect(spec).toMatchObject({ best: true, durationNs: 2e8, engine: best?.chosen["engine"] ?? "auto" });
    if (spec.engine !== "auto") expect(engine).toEqual({ local: spec.engine, remote: spec.engine });
    expect(stderr.match(/^probe: .+: [\d.]+( k)?\/s$/gm)).toHaveLength(best?.probes.length ?? NaN);
  });

  it("tells of its probes as events, and finds the size of sends alone where that is asked", async () => {
    const short = ["--duration", "200ms", "--warmup", "50ms", "--port", port];
    const { stdout, code } = await cli("stream", "127.0.0.1", "--send-size", "auto", "--ndjson", "--quiet", ...short);
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string; probe?: { options: object } });
    const probes = events.filter(({ event }) => event === "probe");
    expect(probes.length).toBeGreaterThanOrEqual(5);
    for (const { probe } of probes) {
      expect(Object.keys(probe?.options ?? {}).filter((key) => key !== "sendSize")).toEqual([]);
    }
    const order = events.map(({ event }) => event).filter((event) => event !== "interval");
    expect(order).toEqual(["start", ...probes.map(() => "probe"), "result"]);
  });
});
