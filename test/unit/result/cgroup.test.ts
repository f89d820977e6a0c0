import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseCgroupPath,
  parseCpuMax,
  parseCpuStat,
  readCgroupCpu,
  readCgroupLimits,
} from "../../../src/result/cgroup.js";

const from = (files: Record<string, string>) => (path: string) => files[path];

describe("parseCgroupPath", () => {
  const hybrid = "12:cpu,cpuacct:/docker/abc\n4:memory:/docker/mem\n0::/system.slice/x.service\n";

  it("finds a controller's path, and that of version 2 under the empty name", () => {
    expect(parseCgroupPath(hybrid, "cpu")).toBe("/docker/abc");
    expect(parseCgroupPath(hybrid, "memory")).toBe("/docker/mem");
    expect(parseCgroupPath(hybrid, "")).toBe("/system.slice/x.service");
    expect(parseCgroupPath("0::/a:b/c\n", "")).toBe("/a:b/c");
  });

  it("is undefined where there is none", () => {
    expect(parseCgroupPath("12:cpuset:/x\n", "cpu")).toBeUndefined();
    expect(parseCgroupPath(undefined, "cpu")).toBeUndefined();
  });
});

describe("parseCpuMax", () => {
  it.each([
    ["150000 100000\n", 1.5],
    ["max 100000\n", undefined],
    ["-1 100000", undefined],
    ["100000 0", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("reads %j as %s cores", (text, cores) => {
    expect(parseCpuMax(text)).toBe(cores);
  });
});

describe("parseCpuStat", () => {
  it("reads version 2 in microseconds and version 1 in nanoseconds", () => {
    expect(parseCpuStat("usage_usec 70\nnr_periods 9\nnr_throttled 2\nthrottled_usec 30\n")).toEqual({
      usageUs: 70,
      throttledUs: 30,
      throttledPeriods: 2,
    });
    expect(parseCpuStat("nr_periods 9\nnr_throttled 2\nthrottled_time 30000\n", "70000\n")).toEqual({
      usageUs: 70,
      throttledUs: 30,
      throttledPeriods: 2,
    });
  });

  it("is undefined without a figure of the use", () => {
    expect(parseCpuStat("nr_throttled 2")).toBeUndefined();
    expect(parseCpuStat(undefined, "x")).toBeUndefined();
  });
});

describe("reading the cgroup", () => {
  it("reads version 2 under the path of the process", () => {
    const read = from({
      "/proc/self/cgroup": "0::/kube/pod\n",
      "/sys/fs/cgroup/kube/pod/cpu.max": "200000 100000\n",
      "/sys/fs/cgroup/kube/pod/memory.max": "1048576\n",
      "/sys/fs/cgroup/kube/pod/cpu.stat": "usage_usec 5\nnr_throttled 0\nthrottled_usec 0\n",
    });
    expect(readCgroupLimits(read)).toEqual({ cpuLimitCores: 2, memoryLimitBytes: 1048576 });
    expect(readCgroupCpu(read)).toEqual({ usageUs: 5, throttledUs: 0, throttledPeriods: 0 });
  });

  it("reads version 1 at the top where a container sees its own cgroup mounted there", () => {
    const read = from({
      "/proc/self/cgroup": "3:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu/cpu.stat": "nr_throttled 1\nthrottled_time 2000\n",
      "/sys/fs/cgroup/cpu/cpuacct.usage": "9000\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    });
    expect(readCgroupLimits(read)).toEqual({ cpuLimitCores: 0.5 });
    expect(readCgroupCpu(read)).toEqual({ usageUs: 9, throttledUs: 2, throttledPeriods: 1 });
  });

  it("says nothing of the root cgroup, whose figures are the host's", () => {
    const v2 = from({ "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.stat": "usage_usec 5\n" });
    expect(readCgroupCpu(v2)).toBeUndefined();
    expect(readCgroupLimits(v2)).toBeUndefined();
    const v1 = from({
      "/proc/self/cgroup": "1:cpu:/\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "/sys/fs/cgroup/cpu/cpuacct.usage": "9000\n",
    });
    expect(readCgroupCpu(v1)).toBeUndefined();
    expect(readCgroupLimits(v1)).toBeUndefined();
  });

  it("never throws and never makes up a figure, whatever the files hold", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (membership, content) => {
        const read = (path: string) => (path === "/proc/self/cgroup" ? membership : content);
        for (const value of Object.values({ ...readCgroupCpu(read), ...readCgroupLimits(read) })) {
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        }
      }),
    );
  });
});
