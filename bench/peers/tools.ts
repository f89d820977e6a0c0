/** What this machine has: programs on PATH, and what the bench compiles for itself. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { BUILD, ROOT } from "../shared/paths.js";
import { METER } from "./process.js";

const COMPILE_MS = 120_000;

export function onPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return directory !== "";
    } catch {
      return false;
    }
  });
}

/** Compiles where a source or an object is newer than the program. Throws with the compiler's words. */
function compile(program: string, inputs: readonly string[], flags: readonly string[]): void {
  const built = statSync(program, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (inputs.every((input) => statSync(input).mtimeMs < built)) return;
  mkdirSync(BUILD, { recursive: true });
  const compiler = process.env["CXX"] ?? "c++";
  const args = ["-std=c++20", "-O2", "-Wall", "-Wextra", ...flags, "-o", program, ...inputs, "-pthread"];
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: "utf8", timeout: COMPILE_MS });
  if (status !== 0) throw new Error(`${compiler} could not compile ${program}: ${error?.message ?? stderr}`);
}

export const BARE_LOOP = `${BUILD}bare-loop`;

export function buildMeter(): void {
  compile(METER, [`${ROOT}bench/native/meter.cc`], []);
}

export function buildBareLoop(): void {
  compile(BARE_LOOP, [`${ROOT}bench/native/bare_loop.cc`], []);
}

/** Linked from the very objects of the addon; returns the program's path, or why there is none. */
export function buildRrDriver(): { program: string } | { missing: string } {
  const objects = readFileSync(`${ROOT}native/sources-core.txt`, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((source) => `${ROOT}build/Release/obj.target/cnb_load/${source.replace(/\.cc$/, ".o")}`);
  const absent = objects.find((object) => !existsSync(object));
  if (absent !== undefined) return { missing: `the addon's object files (${absent}); npm run build:native makes them` };
  const program = `${BUILD}rr-driver`;
  compile(program, [`${ROOT}bench/native/rr_driver.cc`, ...objects], [`-I${ROOT}native`]);
  return { program };
}
