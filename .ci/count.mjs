/** Reads a JSON report of vitest or GoogleTest and prints `passed failed`. A skipped test counts as failed: CI has everything it needs. */
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));

function vitest({ numTotalTests, numPassedTests, testResults }) {
  // A file that could not be loaded has no tests to fail.
  const broken = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
  return [numPassedTests, numTotalTests - numPassedTests + broken];
}

function googleTest({ testsuites }) {
  const tests = testsuites.flatMap((suite) => suite.testsuite);
  const passed = tests.filter((test) => test.result === "COMPLETED" && test.failures === undefined).length;
  return [passed, tests.length - passed];
}

console.log((report.testsuites === undefined ? vitest(report) : googleTest(report)).join(" "));
