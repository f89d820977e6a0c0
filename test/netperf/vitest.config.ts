/** Tests against a stock netperf and netserver on PATH: `npm run test:netperf`. They are no part of `npm test`. */
import { defineConfig } from "vitest/config";
import { SkipReporter } from "../support/skip-reporter.js";

// eslint-disable-next-line no-restricted-exports -- vitest reads its configuration from the default export
export default defineConfig({
  test: {
    include: ["test/netperf/**/*.test.ts"],
    reporters: ["default", new SkipReporter()],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 60_000,
    globalSetup: ["test/support/built.ts"],
  },
});
