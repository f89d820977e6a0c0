import { join } from "node:path";
import { type Finished, Program } from "../support/program.js";

/** Reached only by a program that hangs, which is then killed: its exit code tells. */
const PATIENCE_MS = 30_000;

/** Starts a program of this folder. They use the package as it is built. */
export function start(name: string, args: readonly string[] = [], flags: readonly string[] = []): Program {
  return new Program([process.execPath, ...flags, join(import.meta.dirname, "programs", name), ...args]);
}

/** Resolves when the program has ended. */
export async function ended(program: Program): Promise<Finished> {
  const timer = setTimeout(() => program.child.kill("SIGKILL"), PATIENCE_MS);
  try {
    return await program.finished;
  } finally {
    clearTimeout(timer);
  }
}

/** What a program that ends well and says nothing on stderr prints. */
export async function reportOf(
  name: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<unknown> {
  await using program = start(name, args, flags);
  const { code, stdout, stderr } = await ended(program);
  if (code !== 0 || stderr !== "") throw new Error(`${name} ended with ${String(code)}:\n${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}
