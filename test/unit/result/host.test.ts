import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  countCpuList,
  type HostSources,
  isSameHost,
  parseCpuModel,
  readHostContext,
} from "../../../src/result/host.js";
import { end, host } from "./fixtures.js";
import { schemaProblems } from "./schema-problems.js";

function sources(files: Record<string, string>, rest: Partial<HostSources> = {}): HostSources {
  return {
    read: (path) => files[path],
    list: () => [],
    link: () => undefined,
    interfaces: () => ({
      eth0: [{ family: "IPv4", address: "10.0.0.2", internal: false, netmask: "", mac: "", cidr: null }],
    }),
    ...rest,
  };
}

describe("parseCpuModel", () => {
  it.each([
    [
      "x86",
      "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763: 64-Core\n\nmodel name\t: other\n",
      "AMD EPYC 7763: 64-Core",
    ],
    ["POWER", "processor\t: 0\ncpu\t\t: POWER9, altivec supported\n", "POWER9, altivec supported"],
    ["arm64", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n", "Arm Neoverse N1"],
    ["an unknown arm64", "CPU implementer\t: 0x99\nCPU part\t: 0x123\n", "Arm implementer 0x99 part 0x123"],
  ])("reads that of %s", (_, text, model) => {
    expect(parseCpuModel(text)).toBe(model);
  });

  it("falls back on the device tree, whose text ends in NUL", () => {
    const board = "Raspberry Pi 5 Model B\0";
    expect(parseCpuModel("CPU implementer\t: 0x99\nCPU part\t: 0x123\n", board)).toBe("Raspberry Pi 5 Model B");
    expect(parseCpuModel("processor : 0\n", board)).toBe("Raspberry Pi 5 Model B");
  });

  it("is undefined where nothing tells", () => {
    expect(parseCpuModel(undefined)).toBeUndefined();
    expect(parseCpuModel("")).toBeUndefined();
    expect(parseCpuModel("model name\t:\n")).toBeUndefined();
  });
});

describe("countCpuList", () => {
  it.each([
    ["0-3,8\n", 5],
    ["0", 1],
    ["0-127", 128],
    ["3-1", undefined],
    ["0-", undefined],
    ["0-1-2", undefined],
    ["a", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("counts %j as %s", (text, count) => {
    expect(countCpuList(text)).toBe(count);
  });
});

describe("readHostContext", () => {
  it("puts together what the files tell", () => {
    const policies = "/sys/devices/system/cpu/cpufreq";
    const context = readHostContext(
      "10.0.0.2",
      sources(
        {
          "/proc/cpuinfo": "model name : Test CPU\n",
          "/sys/devices/system/cpu/online": "0-7\n",
          [`${policies}/policy0/scaling_governor`]: "powersave\n",
          [`${policies}/policy1/scaling_governor`]: "performance\n",
          [`${policies}/policy2/scaling_governor`]: "powersave\n",
          "/proc/sys/net/ipv4/tcp_congestion_control": "cubic\n",
          "/proc/sys/net/ipv4/tcp_available_congestion_control": "reno cubic bbr\n",
          "/sys/class/net/eth0/mtu": "9000\n",
          "/sys/class/net/eth0/speed": "100000\n",
          "/sys/class/net/eth0/gro_flush_timeout": "0\n",
          "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
          "/proc/sys/kernel/random/boot_id": "11111111-2222\n",
          "/proc/self/cgroup": "0::/c\n",
          "/sys/fs/cgroup/c/cpu.max": "400000 100000\n",
        },
        {
          list: (folder) =>
            folder === policies ? ["policy0", "policy1", "policy2", "boost"] : ["rx-0", "tx-0", "tx-1"],
          link: (path) => (path === "/sys/class/net/eth0/device/driver" ? "mlx5_core" : undefined),
        },
      ),
    );
    expect(context).toMatchObject({
      cpuModel: "Test CPU",
      cpus: 8,
      governor: "performance,powersave",
      congestionControl: "cubic",
      availableCongestionControls: ["reno", "cubic", "bbr"],
      interface: "eth0",
      mtuBytes: 9000,
      driver: "mlx5_core",
      speedBitsPerSecond: 100e9,
      rxQueues: 1,
      txQueues: 2,
      offloads: { groFlushTimeoutNs: 0 },
      clocksource: "tsc",
      bootId: "11111111-2222",
      container: { cpuLimitCores: 4 },
      nodeVersion: process.version,
    });
  });

  it("leaves out whatever cannot be read", () => {
    const context = readHostContext("192.0.2.1", sources({}));
    expect(Object.keys(context).sort()).toEqual(["arch", "cpus", "hostname", "kernel", "nodeVersion", "version"]);
    expect(context.cpus).toBeGreaterThan(0);
  });

  it("fits the schema whatever the files hold", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 6000 }), fc.array(fc.string()), (text, names) => {
        const odd = sources({}, { read: () => text, list: () => names, link: () => "driver" });
        expect(schemaProblems("report", end({ host: readHostContext("10.0.0.2", odd) }))).toEqual([]);
      }),
    );
  });

  it("knows this machine", () => {
    const context = readHostContext("127.0.0.1");
    expect(schemaProblems("report", end({ host: context }))).toEqual([]);
    expect(context).toMatchObject({ interface: "lo", mtuBytes: expect.any(Number) as number });
    expect(isSameHost(context, readHostContext())).toBe(true);
  });
});

describe("isSameHost", () => {
  it("goes by the boot id and assumes nothing without one", () => {
    expect(isSameHost(host({ bootId: "x" }), host({ bootId: "x", hostname: "container" }))).toBe(true);
    expect(isSameHost(host({ bootId: "x" }), host({ bootId: "y" }))).toBe(false);
    expect(isSameHost(host(), host())).toBe(false);
  });
});
