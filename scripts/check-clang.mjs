/**
 * clang-format and clang-tidy over native/: `check-clang.mjs format | format:check | tidy`. A tool that is not on PATH is named and left out;
 * with CNB_LOAD_NO_SKIP=1, as in CI, its absence is a failure.
 */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const files = readdirSync(join(root, "native"), { recursive: true })
  .filter((path) => /\.(h|cc)$/.test(path))
  .map((path) => `native/${path}`);

/** Programs for eBPF, which only eBPF's own compiler checks. */
const programs = readdirSync(join(root, "src/lab/bpf")).map((path) => `src/lab/bpf/${path}`);

function available(tool) {
  if (spawnSync(tool, ["--version"]).status === 0) return true;
  const required = process.env.CNB_LOAD_NO_SKIP === "1";
  console.error(
    `${tool} is not on PATH: its check of native/ was left out (Debian and Ubuntu: apt-get install ${tool})`,
  );
  if (required) process.exitCode = 1;
  return false;
}

function runSync(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
  return status === 0;
}

function format(check) {
  if (!available("clang-format")) return;
  const ok = runSync("clang-format", [...(check ? ["--dry-run", "-Werror"] : ["-i"]), ...files, ...programs]);
  console.log(`clang-format: ${files.length + programs.length} files, ${ok ? "clean" : "differences above"}`);
}

/** Resolves to whether clang-tidy had nothing to say about one source; prints what it said. */
function tidyOne(source) {
  return new Promise((resolve) => {
    const child = spawn("clang-tidy", ["--quiet", "-p", "build-lint", source], {
      cwd: root,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("error", () => resolve(false));
    child.on("close", (status) => {
      process.stdout.write(Buffer.concat(chunks));
      resolve(status === 0);
    });
  });
}

async function tidy() {
  if (!available("clang-tidy") || !available("cmake")) return;
  if (!runSync("cmake", ["--preset", "lint", "--log-level=WARNING"])) return;
  const commands = JSON.parse(readFileSync(join(root, "build-lint/compile_commands.json"), "utf8"));
  const queue = commands.map((command) => command.file);
  const failed = [];
  const work = async () => {
    for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
      if (!(await tidyOne(source))) failed.push(source);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  if (failed.length > 0) process.exitCode = 1;
  console.log(`clang-tidy: ${commands.length} sources, ${failed.length} with findings`);
}

const modes = { format: () => format(false), "format:check": () => format(true), tidy };
const mode = modes[process.argv[2]];
if (mode === undefined) {
  console.error(`usage: check-clang.mjs ${Object.keys(modes).join("|")}, not ${process.argv[2] ?? "nothing"}`);
  process.exitCode = 2;
} else {
  await mode();
}
