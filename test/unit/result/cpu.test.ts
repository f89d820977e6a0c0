import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CpuSample, cpuUsage, parseProcStat, readCpuSample } from "../../../src/result/cpu.js";

/** Columns: user nice system idle iowait irq softirq steal. */
function sample(lines: readonly string[], rest: Partial<CpuSample> = {}): CpuSample {
  return { atNs: 0, ticks: parseProcStat(lines.join("\n")), processNs: 0, cgroup: undefined, ...rest };
}
const later = (lines: readonly string[], rest: Partial<CpuSample> = {}): CpuSample =>
  sample(lines, { atNs: 1e9, ...rest });

describe("parseProcStat", () => {
  it("takes the CPUs and leaves the total and everything else", () => {
    const text = "cpu  10 0 0 10 0 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu11 1 1 1 1 1 1 1 1\nintr 5\nctxt 9\n";
    expect([...parseProcStat(text)]).toEqual([
      [0, { user: 1, nice: 2, system: 3, idle: 4, iowait: 5, irq: 6, softirq: 7, steal: 8 }],
      [11, { user: 1, nice: 1, system: 1, idle: 1, iowait: 1, irq: 1, softirq: 1, steal: 1 }],
    ]);
  });

  it("takes columns that an old kernel lacks as 0", () => {
    expect(parseProcStat("cpu3 1 2 3 4").get(3)).toEqual({
      user: 1,
      nice: 2,
      system: 3,
      idle: 4,
      iowait: 0,
      irq: 0,
      softirq: 0,
      steal: 0,
    });
  });

  it.each(["cpu0 1 2 3", "cpu0 1 2 x 4", "cpu0 1 2 -3 4", "cpux 1 2 3 4", "cpu0", "", `cpu0 1 2 3 ${"9".repeat(400)}`])(
    "skips %j",
    (text) => {
      expect(parseProcStat(text).size).toBe(0);
    },
  );
});

describe("cpuUsage", () => {
  it("splits the time and leaves iowait and steal out of what is busy", () => {
    const usage = cpuUsage(sample(["cpu0 0 0 0 0 0 0 0 0"]), later(["cpu0 10 5 20 40 5 2 8 10"], { processNs: 3e8 }));
    expect(usage).toEqual({
      cpus: 1,
      busyCores: 0.45,
      utilization: 0.45,
      userCores: 0.15,
      systemCores: 0.2,
      softirqCores: 0.08,
      irqCores: 0.02,
      iowaitCores: 0.05,
      stealCores: 0.1,
      processCores: 0.3,
      perCpu: [
        {
          cpu: 0,
          busyCores: 0.45,
          userCores: 0.15,
          systemCores: 0.2,
          softirqCores: 0.08,
          irqCores: 0.02,
          iowaitCores: 0.05,
          stealCores: 0.1,
        },
      ],
    });
  });

  it("sums over CPUs and lists them in ascending order", () => {
    const usage = cpuUsage(sample(["cpu10 0 0 0 0", "cpu2 0 0 0 0"]), later(["cpu10 100 0 0 0", "cpu2 0 0 50 50"]));
    expect(usage).toMatchObject({ cpus: 2, busyCores: 1.5, utilization: 0.75, userCores: 1, systemCores: 0.5 });
    expect(usage?.perCpu.map(({ cpu, busyCores }) => [cpu, busyCores])).toEqual([
      [2, 0.5],
      [10, 1],
    ]);
  });

  it("leaves out CPUs that came or went", () => {
    const usage = cpuUsage(sample(["cpu0 0 0 0 0", "cpu1 0 0 0 0"]), later(["cpu0 100 0 0 0", "cpu2 900 0 0 0"]));
    expect(usage).toMatchObject({ cpus: 1, busyCores: 1 });
    expect(usage?.perCpu.map(({ cpu }) => cpu)).toEqual([0]);
  });

  it("takes a counter that ran backwards as standing still", () => {
    expect(cpuUsage(sample(["cpu0 0 0 0 0 50"]), later(["cpu0 25 0 0 75 20"]))).toMatchObject({
      busyCores: 0.25,
      iowaitCores: 0,
    });
  });

  it("gives the cgroup's use and throttling beside it", () => {
    const usage = cpuUsage(
      sample(["cpu0 0 0 0 0"], { cgroup: { usageUs: 1000, throttledUs: 10, throttledPeriods: 1 } }),
      later(["cpu0 1 0 0 0"], { cgroup: { usageUs: 501_000, throttledUs: 250, throttledPeriods: 4 } }),
    );
    expect(usage?.cgroup).toEqual({ usageCores: 0.5, throttledNs: 240_000, throttledPeriods: 3 });
  });

  it.each([
    ["nothing could be read", [], []],
    ["the counters stand still", ["cpu0 1 1 1 1"], ["cpu0 1 1 1 1"]],
    ["no CPU is in both samples", ["cpu0 1 1 1 1"], ["cpu1 9 9 9 9"]],
  ])("is undefined when %s", (_, before, after) => {
    expect(cpuUsage(sample(before), later(after))).toBeUndefined();
  });

  it("is undefined when no time passed", () => {
    expect(cpuUsage(sample(["cpu0 0 0 0 0"]), sample(["cpu0 1 1 1 1"]))).toBeUndefined();
  });

  it("keeps every figure finite and every share within its bounds, whatever the texts", () => {
    const digits = fc.oneof(fc.nat(5000).map(String), fc.constantFrom("-1", "x", "", "99999999999999999999", "1e5"));
    const line = fc
      .tuple(fc.constantFrom("cpu", "cpu0", "cpu1", "cpu007", "intr"), fc.array(digits, { maxLength: 12 }))
      .map(([name, columns]) => `${name} ${columns.join(" ")}`);
    const text = fc.oneof(
      fc.array(line, { maxLength: 5 }).map((lines) => lines.join("\n")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, text, fc.nat(), (before, after, processNs) => {
        const usage = cpuUsage(sample([before]), later([after], { processNs }));
        if (usage === undefined) return;
        const { cgroup: _none, kernelThreads: _absent, perCpu, ...figures } = usage;
        for (const value of Object.values(figures)) expect(Number.isFinite(value) && value >= 0).toBe(true);
        expect(usage.utilization).toBeLessThanOrEqual(1);
        expect(usage.cpus).toBe(perCpu.length);
        for (const { cpu: _cpu, busyCores, iowaitCores, stealCores, ...split } of perCpu) {
          expect(busyCores + iowaitCores + stealCores).toBeLessThanOrEqual(1 + 1e-9);
          const parts = Object.values(split).reduce((sum, part) => sum + part, 0);
          expect(parts).toBeCloseTo(busyCores, 9);
        }
      }),
    );
  });
});

describe("readCpuSample", () => {
  it("sees this machine's CPUs and this process at work", () => {
    const before = readCpuSample();
    const until = process.cpuUsage().user + 50_000;
    while (process.cpuUsage().user < until);
    const usage = cpuUsage(before, readCpuSample());
    expect(usage?.processCores).toBeGreaterThan(0);
    expect(usage?.busyCores).toBeGreaterThan(0);
    expect(usage?.perCpu).toHaveLength(usage?.cpus ?? -1);
  });
});
