/**
 * `npm run fuzz [-- --native | --typescript] [-- --keep]`: libFuzzer's targets of native/fuzz, each for CNB_LOAD_FUZZ_SECONDS (60), and then
 * every property test of test/unit for as long. Prints a table of what was tried. Inputs that libFuzzer found worth keeping go on from run
 * to run in build-fuzz/; --keep writes the smallest set that covers as much to native/fuzz/corpus. The inputs of a finding are in build-fuzz/.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "..");
const BUILD = join(ROOT, "build-fuzz");
const CORPUS = join(ROOT, "native/fuzz/corpus");
const TARGETS = ["address", "tcp_door", "udp_door", "udp_traffic"];
const seconds = Number(process.env.CNB_LOAD_FUZZ_SECONDS ?? 60);
const { values } = parseArgs({
  options: { native: { type: "boolean" }, typescript: { type: "boolean" }, keep: { type: "boolean" } },
});
const rows = [];

function runSync(command, args, options = {}) {
  return spawnSync(command, args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 30, ...options });
}

/** The corpus is kept as text, an input in base64 on each line. */
function unpack(target) {
  const folder = join(BUILD, "corpus", target);
  mkdirSync(folder, { recursive: true });
  let text = "";
  try {
    text = readFileSync(join(CORPUS, `${target}.txt`), "utf8");
  } catch {
    // A new target has none yet.
  }
  for (const line of text.split("\n").filter(Boolean)) {
    const input = Buffer.from(line, "base64");
    writeFileSync(join(folder, createHash("sha1").update(input).digest("hex")), input);
  }
  return folder;
}

function keep(target, folder) {
  const smallest = mkdtempSync(join(tmpdir(), "cnb-load-corpus-"));
  const { status, stderr } = runSync(join(BUILD, `fuzz-${target}`), ["-merge=1", "-max_len=512", smallest, folder]);
  if (status !== 0) throw new Error(`merging the corpus of ${target} failed:\n${stderr}`);
  const inputs = readdirSync(smallest).map((name) => readFileSync(join(smallest, name)).toString("base64"));
  mkdirSync(CORPUS, { recursive: true });
  writeFileSync(join(CORPUS, `${target}.txt`), `${inputs.toSorted().join("\n")}\n`);
  rmSync(smallest, { recursive: true });
}

function fuzzTarget(target) {
  const folder = unpack(target);
  const { status, stderr } = runSync(join(BUILD, `fuzz-${target}`), [
    ...["-print_final_stats=1", "-max_len=512", "-timeout=20", `-artifact_prefix=${BUILD}/${target}-`],
    ...[`-max_total_time=${seconds}`, folder],
  ]);
  const inputs = Number(/^stat::number_of_executed_units: (\d+)$/m.exec(stderr)?.[1] ?? 0);
  if (status !== 0) console.error(stderr.split("\n").slice(-60).join("\n"));
  rows.push([`libFuzzer: ${target}`, inputs, status === 0 ? 0 : 1]);
  if (values.keep && status === 0) keep(target, folder);
}

function fuzzNative() {
  if (runSync("clang++", ["--version"]).error !== undefined) {
    console.error(
      "clang++ is not on PATH: the targets of native/fuzz were left out (Debian and Ubuntu: apt-get install clang)",
    );
    if (process.env.CNB_LOAD_NO_SKIP === "1") process.exitCode = 1;
    return;
  }
  for (const step of [
    ["--preset", "fuzz", "--log-level=WARNING"],
    ["--build", "--preset", "fuzz"],
  ]) {
    const { status, stdout, stderr } = runSync("cmake", step);
    if (status === 0) continue;
    console.error(`${stdout}${stderr}`);
    process.exitCode = 1;
    return;
  }
  for (const target of TARGETS) fuzzTarget(target);
}

function fuzzTypescript() {
  const files = readdirSync(join(ROOT, "test/unit"), { recursive: true })
    .map((path) => `test/unit/${path}`)
    .filter(
      (path) => path.endsWith(".test.ts") && readFileSync(join(ROOT, path), "utf8").includes('from "fast-check"'),
    );
  mkdirSync(BUILD, { recursive: true });
  const report = join(BUILD, "properties.jsonl");
  for (const file of files) {
    rmSync(report, { force: true });
    const env = { ...process.env, CNB_LOAD_FUZZ_SECONDS: String(seconds), CNB_LOAD_FUZZ_REPORT: report };
    const { status, stdout, stderr } = runSync("npx", ["vitest", "run", "--project", "unit", file], { env });
    const properties = readFileSync(report, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    if (status !== 0) console.error(`${stdout}${stderr}`);
    const inputs = properties.reduce((sum, { numRuns }) => sum + numRuns, 0);
    const found = properties.filter(({ failed }) => failed).length;
    rows.push([`${file} (${properties.length})`, inputs, status === 0 ? 0 : Math.max(found, 1)]);
  }
}

if (!values.typescript) fuzzNative();
if (!values.native) fuzzTypescript();

const total = rows.reduce(([inputs, findings], row) => [inputs + row[1], findings + row[2]], [0, 0]);
const table = [["what (properties)", "inputs", "findings"], ["---", "--:", "--:"], ...rows, ["all", ...total]];
console.log(table.map((row) => `| ${row.join(" | ")} |`).join("\n"));
if (total[1] > 0) process.exitCode = 1;
