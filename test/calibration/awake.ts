import { join } from "node:path";
import { loadAddon } from "../../src/native/index.js";
import { Program } from "../support/program.js";

const AWAKE = join(import.meta.dirname, "programs/awake.py");

/**
 * Until it is disposed of, no CPU that this process may use goes to sleep. Waking one up is part of no truth that a rig sets, and the
 * host of a virtual machine may take a millisecond over it.
 */
export async function keepAwake(): Promise<Program> {
  const program = new Program(["python3", AWAKE, ...loadAddon().allowedCpus().map(String)]);
  try {
    await program.saying("stdout", /^ready/);
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}
