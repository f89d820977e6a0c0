/** Threads that are terminated in the midst of runs, again and again, in a process that goes on. */
import { join } from "node:path";
import { expect, it } from "vitest";
import { Program } from "../support/program.js";

/** `npm run test:faults` takes its time. */
const COUNT = process.env["CNB_LOAD_FAULTS_LONG"] === "1" ? 200 : 48;
const STAGES = ["online", "loaded", "started", "working"];

it(`${COUNT} threads terminated at every stage of a run`, { timeout: 240_000 }, async () => {
  const program = join(import.meta.dirname, "programs/terminations.mjs");
  // The flag refuses addons that only one environment could load.
  const command = [process.execPath, "--force-context-aware", program, String(COUNT)];
  await using running = new Program(command);
  const { code, stdout, stderr } = await running.finished;
  expect([code, stderr]).toEqual([0, ""]);
  const { terminated, outcomes, state, left } = JSON.parse(stdout) as Record<string, Record<string, number>>;
  expect(Object.keys(terminated ?? {}).toSorted()).toEqual(STAGES.toSorted());
  expect(Object.values(terminated ?? {}).reduce((sum, one) => sum + one)).toBe(COUNT);
  const { failed = 0, refused, completed = 0, ...others } = outcomes ?? {};
  // The last one was left alone; refused are those that had not said what they want.
  expect([completed, failed > 0, others]).toEqual([1, true, {}]);
  expect(refused ?? 0).toBeLessThan(COUNT);
  expect([state, left]).toEqual(["completed", { threads: [], descriptors: 0 }]);
});
