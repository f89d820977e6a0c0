/** What the programs of this folder share. */
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { run, serve } from "../../../dist/index.js";

export { run, serve };

export const host = "127.0.0.1";

/** Only what a program does ends a run of these. */
export const ENDLESS = { host, duration: "10m", warmup: 0, interval: "20ms" };

export const descriptors = () => readdirSync("/proc/self/fd").length;

/** Descriptors of a process that has no session: libuv opens one for good when it first listens. */
export async function descriptorsAtRest() {
  const server = await serve({ host, port: 0 });
  await server.close();
  return descriptors();
}

/** Threads of the addon in this process. */
export function sessionThreads() {
  const names = readdirSync("/proc/self/task").map((tid) => {
    try {
      return readFileSync(`/proc/self/task/${tid}/comm`, "utf8").trim();
    } catch {
      return "";
    }
  });
  return names.filter((name) => name.startsWith("cnb-"));
}

/** Resolves when the condition holds, or after 10 s all the same: what is printed then shows what was wrong. */
export async function until(condition) {
  const deadline = performance.now() + 10_000;
  while (!condition() && performance.now() < deadline) await delay(5);
}

/** What is left of sessions once all had time to go, beside the descriptors that were open before. */
export async function leftovers(before) {
  await until(() => sessionThreads().length === 0 && descriptors() <= before);
  return { threads: sessionThreads(), descriptors: Math.max(0, descriptors() - before) };
}

/** Resolves when traffic flows. */
export async function working(test) {
  for await (const _ of test) return;
}
