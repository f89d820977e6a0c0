import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** Names every test that was left out at the end of a run. With CNB_LOAD_NO_SKIP=1 any of them fails the run. */
export class SkipReporter implements Reporter {
  private filtered = false;

  onInit(vitest: Vitest): void {
    // With -t every test that does not match counts as skipped; those were not asked for.
    this.filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.filtered) return;
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests("skipped")].map((test) => describeSkip(module, test)),
    );
    if (skipped.length === 0) return;
    console.log(`\n${skipped.length} test(s) left out:\n${skipped.join("\n")}\n`);
    if (process.env["CNB_LOAD_NO_SKIP"] === "1") {
      console.error("CNB_LOAD_NO_SKIP=1: leaving tests out is a failure");
      process.exitCode = 1;
    }
  }
}

function describeSkip(module: TestModule, test: TestCase): string {
  const result = test.result();
  const note = result.state === "skipped" && result.note !== undefined ? ` (${result.note})` : "";
  return `  - ${module.relativeModuleId} > ${test.fullName}${note}`;
}
