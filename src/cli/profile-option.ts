import { Option } from "commander";
import { checkFolder } from "./destinations.js";
import { UsageError } from "./exit-codes.js";
import type { Values } from "./flags.js";

/** `window`: whose, as it stands in the help. */
export function profileOption(window: string): Option {
  const help = `record flame graphs of this host over ${window} with perf, and write them into a folder`;
  return new Option("--profile <folder>", help);
}

/** The folder, which is made where it is not there yet. */
export async function profileFolder({ profile }: Values): Promise<string | undefined> {
  if (profile === undefined) return undefined;
  if (typeof profile !== "string" || profile === "") throw new UsageError("--profile: expected a folder");
  await checkFolder("--profile", profile);
  return profile;
}
