import { type Server, createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { type NativePlan, loadAddon } from "../../src/native/index.js";
import { serverPlan } from "./plans.js";

const addon = loadAddon();
const { Session } = addon;

function thrownBy(...args: [plan: unknown, onEvent?: unknown]): NodeJS.ErrnoException & { address?: string } {
  try {
    if (args.length === 1) args.push(() => undefined);
    new Session(...(args as [NativePlan, () => void])).stop();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error("a bad plan was taken");
}

describe("a bad plan", () => {
  it.each<[keyof NativePlan, unknown[]]>([
    ["role", ["both", 1, undefined]],
    ["loop", ["stream", null]],
    ["engine", ["turbo", ""]],
    ["flows", [0, -1, 1.5, NaN, Infinity, 2 ** 32, "1", null, 1_000_001]],
    ["cpus", [[], [1.5], [-2], ["0"], "0", null, [2 ** 31], Array.from({ length: 5000 }, () => -1)]],
    ["address", ["localhost", "", "127.0.0.1:80", "::1%nowhere", 5]],
    ["port", [-1, 65_536, "80"]],
    ["addresses", [["localhost"], [1], "127.0.0.1", null]],
    ["localPorts", [[1], [1, 2, 3], [2000, 1000], [1, 70_000], "1-2", undefined]],
    ["cookie", [new Uint8Array(15), new Uint16Array(16), "0123456789abcdef", undefined]],
    ["sndbufBytes", [-1, 2 ** 31]],
    ["rcvbufBytes", [-1, "64K"]],
    ["noDelay", [1, undefined]],
    ["congestion", ["a-name-that-is-too-long", 7]],
    ["mssBytes", [-1, 70_000]],
    ["sendSizeBytes", [0, 2 ** 40, 0.5]],
    ["recvSizeBytes", [0]],
    ["requestBytes", [0]],
    ["responseBytes", [0]],
    ["burst", [-1, 70_000]],
    ["ratePerSecond", [-1, 0.5, 2e9, "1"]],
    ["spacing", ["even"]],
    ["bandwidthBitsPerSecond", [-1, 1e15]],
    ["zerocopy", ["on"]],
    ["rx", ["drop"]],
    ["rxLowatBytes", [-2, 2 ** 31]],
    ["close", ["both"]],
    ["setupTimeoutMs", [0, -1, 1e9]],
  ])("is refused by the name of its field: %s", (field, values) => {
    for (const value of values) {
      const error = thrownBy({ ...serverPlan(), [field]: value });
      expect(error.message, String(value)).toContain(field);
      expect(error instanceof TypeError || error instanceof RangeError, `${error.name} for ${String(value)}`).toBe(
        true,
      );
    }
  });

  it("is refused where there is none, or nothing to call", () => {
    for (const plan of [undefined, null, 5, "plan"]) expect(thrownBy(plan)).toBeInstanceOf(TypeError);
    for (const onEvent of [undefined, null, {}]) expect(thrownBy(serverPlan(), onEvent)).toBeInstanceOf(TypeError);
  });

  it("is refused where workers and flows do not fit", () => {
    expect(thrownBy(serverPlan({ flows: 2, cpus: [-1] })).message).toContain("engine");
    expect(thrownBy(serverPlan({ engine: "epoll", flows: 1, cpus: [-1, -1] })).message).toContain("cpus");
  });

  it("may throw in its own getters", () => {
    const plan = Object.defineProperty(serverPlan(), "loop", {
      get() {
        throw new Error("from the getter");
      },
    });
    expect(thrownBy(plan).message).toBe("from the getter");
  });
});

describe("a listener that cannot be opened", () => {
  async function listening(): Promise<{ server: Server; port: number }> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
  }

  it("throws with the system call, the errno and the address", async () => {
    const { server, port } = await listening();
    for (const shape of [{}, { loop: "crr" }, { loop: "crr", engine: "epoll", flows: 2, cpus: [-1, -1] }] as const) {
      const error = thrownBy(serverPlan({ ...shape, cpus: [...(shape.cpus ?? [-1])], port }));
      expect(error).toMatchObject({ code: "EADDRINUSE", syscall: "bind", errno: 98, address: `127.0.0.1:${port}` });
    }
    server.close();
    expect(thrownBy(serverPlan({ address: "192.0.2.1" }))).toMatchObject({ code: "EADDRNOTAVAIL", syscall: "bind" });
  });

  it("throws where a socket option is not known, or the kernel does not take its value", () => {
    expect(thrownBy(serverPlan({ socketOptions: { SO_NONESUCH: 1 } as never })).message).toContain("SO_NONESUCH");
    for (const value of [1.5, 2 ** 31, "1"]) {
      expect(thrownBy(serverPlan({ socketOptions: { SO_PRIORITY: value as never } })).message).toContain("SO_PRIORITY");
    }
    expect(thrownBy(serverPlan({ socketOptions: { IP_MTU_DISCOVER: 99 } }))).toMatchObject({
      ...{ code: "EINVAL", syscall: "setsockopt", address: "IP_MTU_DISCOVER" },
    });
  });

  it("throws where the kernel does not know the congestion control", () => {
    expect(thrownBy(serverPlan({ congestion: "nonesuch" }))).toMatchObject({ code: "ENOENT", syscall: "setsockopt" });
  });
});

describe("the addon", () => {
  it("is the same however often it is loaded", () => {
    expect(loadAddon().Session).toBe(Session);
  });

  it("knows the CPUs, the calling thread's own one, and the time", () => {
    const cpus = addon.allowedCpus();
    expect(cpus.length).toBeGreaterThan(0);
    expect(cpus).toEqual([...new Set(cpus)].sort((a, b) => a - b));
    expect(cpus).toContain(addon.currentCpu());
    const before = process.hrtime.bigint();
    const now = BigInt(addon.nowNs());
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(process.hrtime.bigint());
  });

  it("knows how an interface is set up, and nothing of one that is not there", () => {
    const { qdisc, ...offloads } = addon.linkFacts("lo");
    expect(qdisc).toBe("noqueue");
    expect(offloads).toMatchObject({ tso: true, gso: true, gro: true });
    expect(Object.values(offloads).every((value) => typeof value === "boolean")).toBe(true);
    for (const name of ["", "nope0", "x".repeat(300), "../lo"]) expect(addon.linkFacts(name)).toEqual({});
    for (const name of [undefined, null, 7, {}]) expect(() => addon.linkFacts(name as string)).toThrow(TypeError);
  });
});
