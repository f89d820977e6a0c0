/** /proc and /sys vary with kernels and containers: what cannot be understood counts as unknown, and no figure is made up. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { defaultInterface } from "../../../src/doctor/files.js";
import { readCgroupCpu, readCgroupLimits } from "../../../src/result/cgroup.js";
import { readHostContext, withLinkFacts } from "../../../src/result/host.js";
import { kernelThreadUsage, readKernelThreads } from "../../../src/result/kernel-threads.js";
import { tries } from "../../support/tries.js";

const word = fc.oneof(
  fc.constantFrom("0", "1", "-1", "007", "max", "18446744073709551615", "9007199254740993", "1e9", "0x1f", "NaN", ""),
  fc.constantFrom("cpu", "cpu0", "usage_usec", "kthreadd", "eth0", "00000000", "model name\t:", "0-3,8", "\0", "é"),
  fc.nat().map(String),
);
const text = fc.oneof(
  fc
    .array(fc.array(word, { maxLength: 12 }), { maxLength: 12 })
    .map((lines) => lines.map((words) => words.join(" ")).join("\n")),
  fc.string({ maxLength: 300 }),
  fc.constant(undefined),
);
const files = fc.func(text);

/** Everything in there that is a number is one that may be shown. */
function expectFigures(value: unknown): void {
  if (typeof value === "number") expect(Number.isFinite(value) && value >= 0).toBe(true);
  else if (typeof value === "object" && value !== null) Object.values(value).forEach(expectFigures);
}

it("a host's account is whole", () => {
  fc.assert(
    fc.property(
      files,
      fc.array(word),
      fc.option(word),
      fc.record({ tso: fc.boolean(), qdisc: word }),
      (read, names, link, facts) => {
        const sources = { read, list: () => names, link: () => link ?? undefined, interfaces: () => ({}) };
        const host = withLinkFacts({ ...readHostContext("10.0.0.1%eth0", sources), interface: "eth0" }, () => facts);
        expectFigures(host);
        expectFigures(readCgroupLimits(read));
        expectFigures(readCgroupCpu(read));
        const name = defaultInterface({ read });
        expect(name === undefined || name !== "").toBe(true);
      },
    ),
    tries(500),
  );
});

it("kernel threads never ran for less than nothing", () => {
  fc.assert(
    fc.property(files, files, fc.nat(1e9), (before, after, passedNs) => {
      const asked = (read: typeof before) => (path: string) => (path === "/proc/2/comm" ? "kthreadd\n" : read(path));
      const first = readKernelThreads(asked(before));
      const second = { ...readKernelThreads(asked(after)), atNs: first.atNs + passedNs };
      for (const { name, cores } of kernelThreadUsage(first, second, after) ?? []) {
        expect(name).toBeTypeOf("string");
        expectFigures(cores);
      }
    }),
    tries(500),
  );
});
