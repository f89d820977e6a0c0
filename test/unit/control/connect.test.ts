import { once } from "node:events";
import { type AddressInfo, type Server, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectControl } from "../../../src/control/connect.js";

const never = new AbortController().signal;
let server: Server;
let port: number;
let freePort: number;

beforeAll(async () => {
  server = createServer().listen(0, "127.0.0.1");
  const other = createServer().listen(0, "127.0.0.1");
  await Promise.all([once(server, "listening"), once(other, "listening")]);
  port = (server.address() as AddressInfo).port;
  freePort = (other.address() as AddressInfo).port;
  other.close();
  await once(other, "close");
});
afterAll(() => server.close());

const target = (host: string, changes = {}) => ({ host, port, family: "any" as const, bind: undefined, ...changes });

describe("connectControl", () => {
  it("goes on to the next address where one does not answer", async () => {
    // localhost is ::1 and 127.0.0.1, or 127.0.0.1 alone; the server listens on the latter only.
    const socket = await connectControl(target("localhost"), 5000, never);
    expect(socket.remoteAddress).toBe("127.0.0.1");
    socket.destroy();
  });

  it("waits as long as it was told to when the clock is set back meanwhile", async () => {
    let today = Date.now();
    const clock = vi.spyOn(Date, "now").mockImplementation(() => (today -= 86_400_000));
    const timer = vi.spyOn(globalThis, "setTimeout");
    (await connectControl(target("127.0.0.1"), 5000, never)).destroy();
    for (const [, ms] of timer.mock.calls) expect(ms).toBeLessThanOrEqual(5000);
    expect(timer).toHaveBeenCalled();
    for (const spy of [clock, timer]) spy.mockRestore();
  });

  it("comes from the address that it is bound to", async () => {
    const socket = await connectControl(target("127.0.0.1", { bind: "127.0.0.9" }), 5000, never);
    expect(socket.localAddress).toBe("127.0.0.9");
    socket.destroy();
  });

  it("names what refused", async () => {
    await expect(connectControl(target("127.0.0.1", { port: freePort }), 5000, never)).rejects.toMatchObject({
      code: "ERR_CONNECT",
      syscall: "connect",
      errno: 111,
      address: `127.0.0.1:${freePort}`,
      message: `cannot connect to 127.0.0.1:${freePort}: ECONNREFUSED (is \`cnb-load server\` running there?)`,
    });
  });

  it("names what cannot be resolved", async () => {
    // A label of 64 characters is no name: the resolver knows without asking anybody.
    const host = `${"x".repeat(64)}.invalid`;
    await expect(connectControl(target(host, { family: "ipv6" }), 5000, never)).rejects.toMatchObject({
      code: "ERR_CONNECT",
      syscall: "getaddrinfo",
      message: `cannot resolve ${host} over IPv6: ENOTFOUND`,
    });
  });

  it("names a local address that this host does not have", async () => {
    await expect(connectControl(target("127.0.0.1", { bind: "192.0.2.1" }), 5000, never)).rejects.toMatchObject({
      code: "ERR_INVALID_OPTION",
      option: "bind",
      syscall: "bind",
    });
  });

  it("gives up at a signal", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const connecting = connectControl(target("127.0.0.1"), 5000, controller.signal);
    controller.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    await expect(connectControl(target("127.0.0.1"), 5000, controller.signal)).rejects.toBe(reason);
  });
});
