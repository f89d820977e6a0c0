/** Where results go, tried before a run: an hour of measuring must not end in a folder that was never there. */
import { randomBytes } from "node:crypto";
import { access, constants, open, realpath, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describeValue } from "../options/invalid.js";
import { makeFolder } from "../run/profile.js";
import { UsageError } from "./exit-codes.js";
import type { JsonTarget } from "./json-option.js";
import { reasonOf } from "./output.js";

/** Throws UsageError where a file cannot be written, as `writeFileAtomically` would: beside it first. Leaves nothing behind. */
export async function checkFile(option: string, path: string): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const existing = await stat(target).catch(() => undefined);
    if (existing?.isDirectory() === true) throw new Error("it is a folder");
    if (existing !== undefined && !existing.isFile()) await access(target, constants.W_OK);
    else await tryFolder(dirname(target));
  } catch (error) {
    throw unusable(option, "a file that can be written", path, error);
  }
}

/** The same of what `--json` names. */
export async function checkJson(json: JsonTarget): Promise<void> {
  if (json.to === "file") await checkFile("--json", json.path);
}

/** Throws UsageError for a folder that is not there and cannot be made, or that nothing can be written into. */
export async function checkFolder(option: string, path: string): Promise<void> {
  try {
    await makeFolder(path);
    await tryFolder(path);
  } catch (error) {
    throw unusable(option, "a folder that can be written", path, error);
  }
}

async function tryFolder(folder: string): Promise<void> {
  const trial = join(folder, `.cnb-load-${randomBytes(6).toString("hex")}`);
  await (await open(trial, "wx")).close();
  await unlink(trial);
}

function unusable(option: string, expected: string, path: string, error: unknown): UsageError {
  return new UsageError(`${option}: expected ${expected}, got ${describeValue(path)} (${reasonOf(error)})`);
}
