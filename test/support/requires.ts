/**
 * Tests that need something this machine may lack. Where it is missing they are skipped, and their title says why; with
 * CNB_LOAD_NO_SKIP=1, as in CI, they fail instead.
 *
 *     describeIf(rootAndNetns())("between two namespaces", () => { ... });
 */
import { spawnSync } from "node:child_process";
import { describe, it } from "vitest";

export interface Requirement {
  readonly met: boolean;
  /** What is needed, as in "needs root and ip netns". */
  readonly needs: string;
}

export function requirement(needs: string, met: boolean): Requirement {
  return { needs, met };
}

/** A program on PATH that can be started; `probe` are arguments that make it end at once. */
export function command(name: string, probe: readonly string[] = ["--version"]): Requirement {
  return requirement(`${name} on PATH`, spawnSync(name, probe, { stdio: "ignore" }).error === undefined);
}

let netns: boolean | undefined;

/** Making network namespaces takes root, iproute2 and a kernel that lets this container do so: tried rather than guessed. */
export function rootAndNetns(): Requirement {
  if (netns === undefined) {
    const name = `cnbl-probe-${process.pid}`;
    netns = spawnSync("ip", ["netns", "add", name], { stdio: "ignore" }).status === 0;
    if (netns) spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
  }
  return requirement("root and ip netns", netns);
}

/** Both (or all) of these. */
export function allOf(...requirements: readonly Requirement[]): Requirement {
  const missing = requirements.filter(({ met }) => !met);
  const named = missing.length > 0 ? missing : requirements;
  return requirement(named.map(({ needs }) => needs).join(", "), missing.length === 0);
}

export function describeIf({ met, needs }: Requirement): (title: string, body: () => void) => void {
  if (met) return (title, body) => void describe(title, body);
  return (title, body) => {
    const full = `${title} (needs ${needs})`;
    if (mustNotSkip()) it(full, refuse(needs));
    else describe.skip(full, body);
  };
}

export function itIf({ met, needs }: Requirement): (title: string, body: () => unknown, timeoutMs?: number) => void {
  if (met)
    return (title, body, timeoutMs) => {
      it(title, () => body() as Promise<void>, timeoutMs);
    };
  return (title) => {
    const full = `${title} (needs ${needs})`;
    if (mustNotSkip()) it(full, refuse(needs));
    else it.skip(full);
  };
}

function mustNotSkip(): boolean {
  return process.env["CNB_LOAD_NO_SKIP"] === "1";
}

function refuse(needs: string) {
  return (): never => {
    throw new Error(`this test needs ${needs}, and CNB_LOAD_NO_SKIP=1 forbids leaving it out`);
  };
}
