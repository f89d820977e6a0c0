import { describe, expect, it } from "vitest";
import { kernelThreadUsage, readKernelThreads, threadGroup } from "../../../src/result/kernel-threads.js";
import type { ReadText } from "../../../src/result/text.js";

const files = (contents: Record<string, string>): ReadText => {
  const known = new Map(Object.entries(contents));
  return (path) => known.get(path);
};

const host = (children: string, runNs: Record<number, string>): ReadText =>
  files({
    "/proc/2/comm": "kthreadd\n",
    "/proc/2/task/2/children": children,
    ...Object.fromEntries(Object.entries(runNs).map(([pid, text]) => [`/proc/${pid}/schedstat`, text])),
    "/proc/15/comm": "ksoftirqd/0\n",
    "/proc/21/comm": "ksoftirqd/1\n",
    "/proc/40/comm": "kworker/1:2-wg-crypt-wg0\n",
  });

describe("threadGroup", () => {
  it.each([
    ["ksoftirqd/1", "ksoftirqd"],
    ["napi/eth0-8193", "napi/eth0"],
    ["kworker/0:1-wg-crypt-wg0", "kworker (wg-crypt-wg0)"],
    ["kworker/u8:1-events_unbound", "kworker (events_unbound)"],
    ["kworker/1:0H-kblockd+", "kworker (kblockd)"],
    ["kworker/R-netns", "kworker (netns)"],
    ["kworker/u9:0", "kworker"],
    ["irq/24-eth0", "irq/24-eth0"],
    ["rcu_preempt", "rcu_preempt"],
    ["", ""],
  ])("files %j under %j", (comm, group) => {
    expect(threadGroup(comm)).toBe(group);
  });
});

describe("kernelThreadUsage", () => {
  it("adds up what ran in between, the busiest first", () => {
    const read = host("15 21 40 41 ", { 15: "100 0 1", 21: "50 0 1", 40: "7 0 1", 41: "9 0 1" });
    const before = { ...readKernelThreads(read), atNs: 1000 };
    const later = host("15 21 40 50", { 15: "400 0 2", 21: "150 0 3", 40: "1007 0 2", 50: "0 0 0" });
    const after = { ...readKernelThreads(later), atNs: 3000 };
    expect(kernelThreadUsage(before, after, later)).toEqual([
      { name: "kworker (wg-crypt-wg0)", cores: 0.5 },
      { name: "ksoftirqd", cores: 0.2 },
    ]);
  });

  it("counts a thread that came in between from its start", () => {
    const read = host("21", { 21: "500" });
    const before = { atNs: 0, runNs: new Map<number, number>() };
    expect(kernelThreadUsage(before, { ...readKernelThreads(read), atNs: 1000 }, read)).toEqual([
      { name: "ksoftirqd", cores: 0.5 },
    ]);
  });

  it("says nothing where pid 2 is no kthreadd, the list is missing or odd, or no time passed", () => {
    const none = { atNs: 0, runNs: new Map<number, number>() };
    for (const contents of [
      {},
      { "/proc/2/comm": "bash", "/proc/2/task/2/children": "15", "/proc/15/schedstat": "1 1 1" },
      { "/proc/2/comm": "kthreadd", "/proc/2/task/2/children": "../1 x 15", "/proc/15/schedstat": "much" },
    ]) {
      const read = files(contents);
      expect(kernelThreadUsage(none, readKernelThreads(read), read)).toBeUndefined();
    }
    const read = host("15", { 15: "10" });
    const sample = readKernelThreads(read);
    expect(kernelThreadUsage(sample, sample, read)).toBeUndefined();
  });
});
