import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countQueues,
  interfaceOf,
  type Interfaces,
  parseSpeed,
  readOffloads,
  readRpsCpus,
} from "../../../src/result/interface.js";

const address = (family: "IPv4" | "IPv6", text: string, internal = false) => ({
  family,
  address: text,
  internal,
  netmask: "",
  mac: "",
  cidr: null,
  ...(family === "IPv6" && { scopeid: 0 }),
});
const interfaces = {
  lo: [address("IPv4", "127.0.0.1", true), address("IPv6", "::1", true)],
  eth0: [address("IPv4", "10.0.0.2"), address("IPv6", "fe80::1")],
  "eth0:1": [address("IPv4", "10.0.0.3")],
  eth1: [address("IPv6", "2001:db8::5"), address("IPv6", "fe80::1")],
} as Interfaces;

describe("interfaceOf", () => {
  it.each([
    ["10.0.0.2", "eth0"],
    ["::ffff:10.0.0.2", "eth0"],
    ["10.0.0.3", "eth0"],
    ["2001:db8::5", "eth1"],
    ["fe80::1%eth1", "eth1"],
    ["127.0.0.1", "lo"],
    ["127.9.9.9", "lo"],
    ["::1", "lo"],
    ["192.0.2.1", undefined],
    ["", undefined],
    ["fe80::2%nowhere", undefined],
  ])("finds the owner of %s: %s", (local, name) => {
    expect(interfaceOf(local, interfaces)).toBe(name);
  });
});

describe("parseSpeed", () => {
  it.each([
    ["25000\n", 25e9],
    ["-1\n", undefined],
    ["0", undefined],
    ["4294967295", undefined],
    ["", undefined],
    ["fast", undefined],
    [undefined, undefined],
  ])("reads %j as %s bit/s", (text, speed) => {
    expect(parseSpeed(text)).toBe(speed);
  });
});

describe("countQueues", () => {
  it("counts both directions and leaves out what is not there", () => {
    expect(countQueues(["rx-0", "rx-1", "tx-0", "other"])).toEqual({ rxQueues: 2, txQueues: 1 });
    expect(countQueues([])).toEqual({});
  });
});

describe("readRpsCpus", () => {
  const rps = (masks: Record<string, string>): number[] | undefined =>
    readRpsCpus(
      (path) => masks[path.replace(/^\/n\/queues\/(.*)\/rps_cpus$/, "$1")],
      () => [...Object.keys(masks), "rx-9", "tx-0"],
      "/n",
    );

  it("names the CPUs of all receive queues' masks", () => {
    expect(rps({ "rx-0": "00000000,00000003\n", "rx-1": "6\n", "tx-0": "f0\n" })).toEqual([0, 1, 2]);
    expect(rps({ "rx-0": "80000000,00000001,00000000\n" })).toEqual([32, 95]);
  });

  it("is empty where RPS is off, and nothing where no queue tells", () => {
    expect(rps({ "rx-0": "00000000,00000000\n", "rx-1": "0\n" })).toEqual([]);
    expect(rps({ "rx-0": "odd\n", "rx-1": "" })).toBeUndefined();
    expect(rps({})).toBeUndefined();
  });
});

describe("readOffloads", () => {
  it("takes what is there and nothing else", () => {
    const files: Record<string, string> = { "/n/gro_flush_timeout": "2000\n", "/n/threaded": "1\n" };
    expect(readOffloads((path) => files[path], "/n")).toEqual({ groFlushTimeoutNs: 2000, threadedNapi: true });
    expect(readOffloads(() => undefined, "/n")).toBeUndefined();
  });

  it("makes nothing of odd contents", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const value of Object.values(readOffloads(() => text, "/n") ?? {})) {
          expect(typeof value === "boolean" || Number.isSafeInteger(value)).toBe(true);
        }
      }),
    );
  });
});
