/** Servers over the fake addon, and what a test asks of them. */
import { afterEach, beforeEach, expect } from "vitest";
import type { ControlTiming } from "../../../src/control/timing.js";
import type { CnbLoadError } from "../../../src/errors.js";
import { type RunOptions, type ServeOptions, resolveRunOptions } from "../../../src/options/spec.js";
import { startRun } from "../../../src/run/run.js";
import { type Server, type ServerHooks, type SessionSummary, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { HELLO, type RawClient, rawClient } from "../../fakes/raw-client.js";

/** What the test at hand has: `useServers()` makes it anew for each, and closes its servers. */
export let addon: FakeAddon;
export let summaries: SessionSummary[];
const servers: Server[] = [];

export function useServers(): void {
  beforeEach(() => {
    addon = new FakeAddon();
    summaries = [];
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    expect(addon.live).toEqual([]);
  });
}

export async function start(
  options: ServeOptions & ServerHooks = {},
  timing: Partial<ControlTiming> = {},
): Promise<Server> {
  const server = await startServer(
    { host: "127.0.0.1", port: 0, onSession: (summary) => summaries.push(summary), ...options },
    fakeEnvironment(addon, { timing }),
  );
  servers.push(server);
  return server;
}

export const runOptions = (options: Partial<RunOptions> = {}): RunOptions => ({
  test: "tcp_rr",
  host: "127.0.0.1",
  duration: 0.02,
  warmup: 0,
  ...options,
});

/** A run against it, in its own surroundings; `port` is the server's. */
export const runAgainst = ({ port }: Server, options: Partial<RunOptions> = {}, signal?: AbortSignal) =>
  startRun(runOptions({ port, ...options }), { signal }, fakeEnvironment(addon));

export const failureOf = async (promise: PromiseLike<unknown>): Promise<CnbLoadError> => {
  const outcome: unknown = await promise.then(undefined, (error: unknown) => error);
  expect(outcome).toMatchObject({ name: "CnbLoadError" });
  return outcome as CnbLoadError;
};

/** A client that has come as far as to have a session. */
export async function openSession(
  server: Server,
  options: Partial<RunOptions> = {},
  sources: string[] = [],
): Promise<RawClient> {
  const client = await rawClient(server.port);
  client.say(HELLO, { type: "setup", spec: resolveRunOptions(runOptions(options)), sources });
  expect(await client.hear()).toMatchObject({ type: "hello" });
  expect(await client.hear()).toMatchObject({ type: "prepared" });
  return client;
}
