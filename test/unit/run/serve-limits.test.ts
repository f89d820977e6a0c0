import { describe, expect, it } from "vitest";
import { type RunOptions, type ServeOptions, resolveRunOptions } from "../../../src/options/spec.js";
import { HELLO, rawClient } from "../../fakes/raw-client.js";
import { until } from "../../fakes/until.js";
import { addon, failureOf, openSession, runAgainst, runOptions, start, summaries, useServers } from "./servers.js";

useServers();

describe("limits", () => {
  it.each<[string, ServeOptions, Partial<RunOptions>, object]>([
    ["flows", { maxFlows: 3 }, { flows: 4 }, { code: "ERR_LIMIT", option: "flows" }],
    [
      "length, warm-up included",
      { maxDuration: 1 },
      { duration: 0.6, warmup: 0.6 },
      { code: "ERR_LIMIT", option: "duration" },
    ],
    ["data port", { dataPort: 5001 }, { dataPort: 5002 }, { code: "ERR_LIMIT", option: "dataPort" }],
    ["addresses", { allow: "10.0.0.0/8" }, {}, { code: "ERR_AUTH" }],
  ])("on %s are told to the client", async (_what, serve, run, expected) => {
    const server = await start(serve);
    expect(await failureOf(runAgainst(server, run))).toMatchObject(expected);
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "refused", windowNs: 0 });
    expect(addon.sessions).toEqual([]);
  });

  it("refuse a session too many, and let the next in when there is room", async () => {
    const server = await start({ maxSessions: 1 });
    const first = await openSession(server, { duration: 30 });
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({ code: "ERR_BUSY" });
    expect(error.retryAfterMs).toBeGreaterThan(20_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(30_000);
    expect(error.message).toMatch(/is busy: 1 session is under way \(--max-sessions\); try again in (2\d(\.\d)?|30)s$/);
    first.destroy();
    await until(() => summaries.some(({ outcome }) => outcome === "failed"));
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("count the sessions of one address apart from those of others", async () => {
    const server = await start({ maxSessionsPerClient: 1 });
    const first = await openSession(server, { duration: 30 });
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({ code: "ERR_BUSY" });
    expect(error.message).toMatch(/1 session of 127\.0\.0\.1 is under way \(--max-sessions-per-client\); try again in/);
    expect((await runAgainst(server, { bind: "127.0.0.2" })).state).toBe("completed");
    first.destroy();
    await until(() => summaries.some(({ outcome }) => outcome === "failed"));
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("give back the place of a session that was refused", async () => {
    const server = await start({ maxSessions: 1, maxFlows: 1 });
    for (let round = 0; round < 3; round++)
      expect(await failureOf(runAgainst(server, { flows: 2 }))).toMatchObject({ code: "ERR_LIMIT" });
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it.each<[string, ServeOptions, Partial<RunOptions>, RegExp]>([
    [
      "no pace",
      { maxBandwidth: "1G" },
      { test: "tcp_stream" },
      /^the server: bandwidth: this server allows 1 Gbit\/s .*no pace/,
    ],
    [
      "a pace too high",
      { maxBandwidth: "1M" },
      { test: "udp_stream", bandwidth: "2M" },
      /1 Mbit\/s .*\(--max-bandwidth\), 2 Mbit\/s were asked for; give at most that$/,
    ],
    [
      "a rate too high",
      { maxBandwidth: "1M" },
      { rate: 10_000, response: "64K" },
      /^the server: rate: .* 1 Mbit\/s .*, 5\.243 Gbit\/s were asked for; lower --rate, --request or --response$/,
    ],
    ["more than one flow", { maxFlows: 1 }, { flows: 2 }, /: this server allows 1 flow per session .*, 2 were/],
    [
      "buffers too large",
      { maxMemory: "1M" },
      { test: "tcp_stream", recvSize: "2M" },
      /a session 1M of buffers \(--max-memory\)/,
    ],
  ])("are told for %s", async (_what, serve, run, message) => {
    const server = await start(serve);
    const error = await failureOf(runAgainst(server, run));
    expect(error).toMatchObject({ code: "ERR_LIMIT", message: expect.stringMatching(message) as string });
    expect(addon.sessions).toEqual([]);
  });

  it("of bandwidth let through what keeps to them", async () => {
    const server = await start({ maxBandwidth: "1G" });
    for (const run of [{ test: "tcp_maerts", bandwidth: "1G" }, { rate: 1000 }, { test: "tcp_cc" }] as const)
      expect((await runAgainst(server, run)).state).toBe("completed");
  });

  it("of bandwidth end a session that does not keep to them", async () => {
    const server = await start({ maxBandwidth: "1M" });
    const error = await failureOf(runAgainst(server, { flows: 20, duration: 30 }));
    expect(error.code).toBe("ERR_LIMIT");
    expect(error.message).toMatch(/allows 1 Mbit\/s per session and direction \(--max-bandwidth\), and more came$/);
    await until(() => summaries.length === 1);
    expect(summaries[0]).toMatchObject({ outcome: "failed", error: { code: "ERR_LIMIT" } });
  });

  it("answer busy where the fixed data port is taken", async () => {
    const server = await start({ dataPort: 5001 });
    const session = await openSession(server);
    addon.onConstruct = ({ role }) => {
      const inUse = { code: "EADDRINUSE", syscall: "bind", errno: 98, address: "127.0.0.1:5001" };
      if (role === "server") throw Object.assign(new Error("bind"), inUse);
    };
    const error = await failureOf(runAgainst(server));
    expect(error).toMatchObject({
      code: "ERR_BUSY",
      message: expect.stringMatching(
        /^the server: the server is busy: data port 5001 is in use; try again in /,
      ) as string,
    });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(addon.newest("server")?.plan.port).toBe(5001);
    session.destroy();
  });

  it("hold for a spec that was never checked by a client", async () => {
    const server = await start();
    const good = resolveRunOptions(runOptions());
    const bad = [
      { ...good, flows: 1e9 },
      { ...good, durationNs: -1 },
      { ...good, engine: "turbo" },
      { ...good, requestBytes: 1e12 },
      { ...good, sndbufBytes: null },
      { ...good, serverCpus: Array.from({ length: 9000 }, () => 0) },
      { ...good, engine: "block", flows: 5000 },
      { ...good, test: "toString" },
      [],
      null,
      "spec",
    ];
    for (const spec of bad) {
      const client = await rawClient(server.port);
      client.say(HELLO, { type: "setup", spec, sources: [] });
      const [, refusal] = await client.hearAll();
      expect(refusal).toMatchObject({ type: "refuse" });
    }
    expect(addon.sessions).toEqual([]);
    expect((await runAgainst(server)).state).toBe("completed");
  });

  it("hold for a spec that is nothing but nesting", async () => {
    const server = await start();
    const nest = "[".repeat(50_000) + "]".repeat(50_000);
    const spec = JSON.stringify(resolveRunOptions(runOptions()));
    for (const hostile of [
      nest,
      spec.replace('"bind":[]', `"bind":${nest}`),
      spec.replace('"flows":1', `"flows":${nest}`),
    ]) {
      const body = `{"type":"setup","sources":[],"spec":${hostile}}`;
      const header = Buffer.alloc(4);
      header.writeUInt32BE(body.length);
      const client = await rawClient(server.port);
      client.say(HELLO);
      client.write(Buffer.concat([header, Buffer.from(body)]));
      expect((await client.hearAll())[1]).toMatchObject({ type: "refuse" });
    }
    expect(addon.sessions).toEqual([]);
  });

  it("refuse sources that are no addresses", async () => {
    const server = await start();
    const client = await rawClient(server.port);
    client.say(HELLO, {
      type: "setup",
      spec: resolveRunOptions(runOptions({ test: "tcp_crr" })),
      sources: ["example.com"],
    });
    expect((await client.hearAll())[1]).toMatchObject({ type: "refuse", code: "ERR_PROTOCOL" });
  });
});
