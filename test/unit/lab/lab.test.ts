import { describe, expect, it } from "vitest";
import { attributed } from "../../../src/lab/attribution.js";
import { cellsOf, rotated } from "../../../src/lab/lab.js";
import { renderPage } from "../../../src/lab/page.js";
import { PATHS } from "../../../src/lab/paths/index.js";
import { placeNodes } from "../../../src/lab/placement.js";
import { cpuMask } from "../../../src/lab/site.js";
import { missing } from "../../../src/lab/tools.js";
import { summarize } from "../../../src/result/summarize.js";
import { labOf, measurement, pathReport, rrRun } from "./documents.js";

describe("CPU figures", () => {
  it("are those of each node's CPU, and what is derived from them follows", () => {
    const result = attributed(rrRun(1000, 1, [0.5, 0.25]), { client: 0, server: 1 });
    expect(result.cpu.local).toMatchObject({ cpus: 1, busyCores: 0.5, perCpu: [{ cpu: 0 }] });
    expect(result.cpu.remote).toMatchObject({ cpus: 1, busyCores: 0.25, perCpu: [{ cpu: 1 }] });
    expect(result.cpu.serviceDemand).toEqual({
      local: { nsPerTransaction: 500_000 },
      remote: { nsPerTransaction: 250_000 },
    });
    expect(result.cpu.normalized).toMatchObject({ target: 1e6, localCores: 500, remoteCores: 250 });
  });

  it("stay the whole host's where the nodes share a CPU", () => {
    const result = rrRun(1000);
    expect(attributed(result, placeNodes([3]))).toBe(result);
    expect(placeNodes([3, 5, 7])).toEqual({ client: 3, server: 5 });
  });

  it("take a mask as the kernel writes it", () => {
    expect([0, 1, 31, 32, 65].map(cpuMask)).toEqual(["1", "2", "80000000", "1,00000000", "2,00000000,00000000"]);
  });
});

it("every test runs with 1 and N flows, with 1 alone where that is N", () => {
  expect(cellsOf({ tests: ["rr"], flows: 8 })).toEqual([
    { test: "rr", flows: 1 },
    { test: "rr", flows: 8 },
  ]);
  expect(cellsOf({ tests: ["stream", "crr"], flows: 1 })).toHaveLength(2);
});

it("rounds take the paths in another order each", () => {
  expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
  expect(rotated([], 2)).toEqual([]);
});

it("names what to install, each package once", async () => {
  const need = (name: string, install: string, there: boolean) => ({ name, install, there: () => there });
  expect(
    await missing([need("a", "x", false), need("b", "x", false), need("c", "y", true), need("d", "z", false)]),
  ).toBe("x, z");
  expect(await missing([need("c", "y", true)])).toBeUndefined();
});

it("every path says what it models, builds and leaves out, in one name each", () => {
  const names = PATHS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { models, builds, differs } of PATHS) {
    for (const text of [models, builds, differs]) expect(text).toMatch(/^[^.]{10,}$/);
  }
});

it("summarize() refuses runs of different tests, and none", async () => {
  await expect(summarize([])).rejects.toThrow(/expected at least one/);
  await expect(summarize([rrRun(10, 1), rrRun(10, 2)])).rejects.toThrow(/all of the same test and flows/);
  await expect(summarize([rrRun(10), { ...rrRun(10), state: "aborted" }])).rejects.toThrow(/completed/);
  expect((await summarize([rrRun(10), rrRun(30)])).repeat).toMatchObject({ runs: 2, meanPerSecond: 20 });
});

describe("the page", () => {
  it("has findings, paths that failed with their reason, and escapes what is not its own", async () => {
    const measured = [measurement("node", [1000, 1010, 1005]), measurement("iptables", [900, 905, 910])];
    const failed = pathReport("vxlan", { state: "failed", reason: "failed: <b>no</b>" });
    const paths = [pathReport("node"), pathReport("iptables", { evidence: ["12 flows"] }), failed];
    const page = await renderPage(labOf(measured, { paths, command: "cnb-load lab --paths 'a<b'" }), new Map());
    expect(page).toMatch(
      /iptables against node .*1 flow, 95 % intervals in brackets: 0\.90 times the rate of requests/,
    );
    expect(page).toContain("failed: &lt;b&gt;no&lt;/b&gt;");
    expect(page).toContain("--paths &#39;a&lt;b&#39;");
    expect(page).toContain("12 flows");
    expect(page).toMatch(/of the [1-9]\d* intervals on this page/);
    expect(page).not.toMatch(/<script|NaN|undefined/);
  });

  it("can be drawn of a path that measured nothing", async () => {
    const page = await renderPage(labOf([measurement("node", [1000])], { profileProblem: "no perf" }), new Map());
    expect(page).toContain("no perf");
  });
});
