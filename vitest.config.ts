import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { SkipReporter } from "./test/support/skip-reporter.js";

/**
 * One project per folder of test/, run one after another: the machine may have two CPUs, and traffic of two tests at once would disturb
 * both. Unit tests touch neither network nor addon and share the CPUs.
 */
function project(name: string, order: number, timeoutMs: number): TestProjectConfiguration {
  const pure = name === "unit";
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      pool: "forks",
      fileParallelism: pure,
      maxWorkers: pure ? 2 : 1,
      sequence: { groupOrder: order },
      testTimeout: timeoutMs + FUZZ_MS,
      hookTimeout: timeoutMs,
      globalSetup: pure ? [] : ["test/support/built.ts"],
      setupFiles: name === "calibration" ? ["test/support/foremost.ts"] : pure ? ["test/support/tries.ts"] : [],
    },
  };
}

/** Property tests go on for that long where they are asked to: `npm run fuzz`. */
const FUZZ_MS = Number(process.env["CNB_LOAD_FUZZ_SECONDS"] ?? 0) * 10_000;

/** Where CI wants the numbers of the run. */
const report = process.env["CNB_LOAD_TEST_REPORT"];

export default defineConfig({
  test: {
    reporters: ["default", new SkipReporter(), ...(report === undefined ? [] : [jsonReporter(report)])],
    projects: [
      project("unit", 0, 10_000),
      project("native", 1, 20_000),
      project("integration", 2, 60_000),
      project("cli", 3, 60_000),
      project("lifecycle", 4, 60_000),
      project("browser", 5, 60_000),
      project("package", 5, 180_000),
      project("faults", 6, 60_000),
      // Last, when nothing that came before is still busy.
      project("calibration", 7, 60_000),
    ],
  },
});

function jsonReporter(outputFile: string): ["json", { outputFile: string }] {
  return ["json", { outputFile }];
}
