/** A server over a fake addon for every test of the file that imports this. */
import { afterEach, beforeEach, expect } from "vitest";
import type { CnbLoadError } from "../../../src/errors.js";
import { type Server, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";

export let addon: FakeAddon;
export let server: Server;

beforeEach(async () => {
  addon = new FakeAddon();
  server = await startServer({ host: "127.0.0.1", port: 0 }, fakeEnvironment(addon));
});

afterEach(async () => {
  await server.close();
  // Whatever happened: nothing is left running.
  expect(addon.live).toEqual([]);
});

/** What a promise rejects with. */
export async function failure(promise: PromiseLike<unknown>): Promise<CnbLoadError> {
  try {
    await promise;
  } catch (error) {
    return error as CnbLoadError;
  }
  throw new Error("expected a rejection");
}
