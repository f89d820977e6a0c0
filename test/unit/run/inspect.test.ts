import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inspectServer, nativeView } from "../../../src/run/inspect.js";
import { type Server, type ServerHooks, type SessionSummary, startServer } from "../../../src/run/serve.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { FakeAddon } from "../../fakes/fake-addon.js";
import { until } from "../../fakes/until.js";

let addon: FakeAddon;
let summaries: SessionSummary[];
let server: Server;

async function start(hooks: ServerHooks & { allow?: string } = {}): Promise<void> {
  const options = { host: "127.0.0.1", port: 0, onSession: (summary: SessionSummary) => void summaries.push(summary) };
  server = await startServer({ ...options, ...hooks }, fakeEnvironment(addon));
}

beforeEach(() => {
  addon = new FakeAddon();
  summaries = [];
});

afterEach(async () => {
  await server.close();
  expect(addon.live).toEqual([]);
});

const inspect = (signal = new AbortController().signal) =>
  inspectServer({ host: "127.0.0.1", port: server.port, family: "any" }, signal, fakeEnvironment(addon));

describe("inspectServer", () => {
  it("brings the server's account of its host and leaves nothing behind", async () => {
    await start();
    const { host, uringRefusal: refusal, sameHost, localAddress } = await inspect();
    expect(host.cpus).toBeGreaterThan(0);
    expect([refusal, sameHost, localAddress]).toEqual([null, true, "127.0.0.1"]);
    await until(() => summaries.length === 1);
    expect(summaries).toMatchObject([{ outcome: "completed", windowNs: 0, transactions: 0 }]);
  });

  it("tells two machines apart by the kernel's boot id", async () => {
    await start();
    const elsewhere = fakeEnvironment(addon, { files: { "/proc/sys/kernel/random/boot_id": "another\n" } });
    const address = { host: "127.0.0.1", port: server.port, family: "any" } as const;
    expect((await inspectServer(address, new AbortController().signal, elsewhere)).sameHost).toBe(false);
  });

  it("says why the server has no io_uring", async () => {
    addon.uringRefusal = "switched off there";
    await start();
    expect((await inspect()).uringRefusal).toBe("switched off there");
    expect(nativeView(fakeEnvironment(addon)).uring.refusal).toBe("switched off there");
  });

  it("rejects where the server refuses", async () => {
    await start({ allow: "192.0.2.0/24" });
    await expect(inspect()).rejects.toMatchObject({ code: "ERR_AUTH" });
  });

  it("gives up with the signal's reason", async () => {
    await start();
    const reason = new Error("enough");
    await expect(inspect(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
