/** Before tests that need the addon or the compiled package: the addon must be there, and dist/ is brought up to date with src/. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const DONE = "CNB_LOAD_TESTS_BUILT";

export function setup(): void {
  // Every project runs its own global setup; one build serves all.
  if (process.env[DONE] === "1") return;
  process.env[DONE] = "1";
  const addon = process.env["CNB_LOAD_ADDON"] ?? join(ROOT, "build/Release/cnb_load.node");
  if (!existsSync(addon))
    throw new Error(`the addon ${addon} is missing: run \`npm run build:native\` (or npm ci) first`);
  const build = spawnSync("npm", ["run", "--silent", "build:ts"], { cwd: ROOT, encoding: "utf8" });
  if (build.status !== 0)
    throw new Error(`src/ does not compile, so dist/ is out of date:\n${build.stdout}${build.stderr}`);
}
