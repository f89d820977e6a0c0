import { setTimeout as delay } from "node:timers/promises";

/** Resolves once the condition holds; rejects, naming it, when it does not within the time. What it says of the state is shown, too. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  name: string,
  { timeoutMs = 10_000, state = () => "" }: { timeoutMs?: number; state?: () => string } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not so: ${name} ${state()}`.trim());
    await delay(5);
  }
}
