// Writes man/*.1 from the program's own help. Runs at the end of npm run build:ts.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { manPages } from "../dist/cli/man.js";
import { buildProgram } from "../dist/cli/program.js";
import { packageVersion } from "../dist/result/version.js";

const folder = join(import.meta.dirname, "../man");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
for (const { file, text } of manPages(
  buildProgram(() => undefined),
  packageVersion(),
))
  writeFileSync(join(folder, file), text);
