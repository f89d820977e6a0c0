/**
 * Keeps the C++ rooms apart: arrows between them point one way, Node's headers stay in one room, nothing prints or ends the process, and the
 * lists that both builds read name exactly the sources that exist.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Each room may include itself and the rooms before it; `test` and `fuzz` see all that can be built without Node, `portable` nothing. */
const ROOMS = ["core", "engine", "io", "loops", "binding"];
const OUTSIDE = ["test", "fuzz", "portable"];
const NODE_HEADER = /^(napi|node_api|node|js_native_api|uv|v8)(-[\w-]+)?\.h$/;
const FORBIDDEN = [
  [/\b(?:std::)?(?:v?f?printf|f?puts|putchar|perror)\s*\(/, "prints"],
  [/\bstd::(?:cout|cerr|clog)\b/, "prints"],
  [/(?<![\w.>])(?:std::|::)?(?:_?exit|_Exit|quick_exit|abort|terminate)\s*\(/, "ends the process"],
];

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const native = join(root, "native");
const problems = [];

function allowedRooms(room) {
  if (room === "portable") return ["portable"];
  if (OUTSIDE.includes(room)) return [room, ...ROOMS.filter((name) => name !== "binding")];
  return ROOMS.slice(0, ROOMS.indexOf(room) + 1);
}

/** Blanks out comments and literals, keeping line numbers. A quote after a digit (1'000) opens no literal. */
function codeOnly(text) {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"(\w*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])*'/g;
  return text.replace(token, (match) => match.replace(/[^\n]/g, " "));
}

function checkInclude(file, room, header, report) {
  if (NODE_HEADER.test(header)) {
    if (room !== "binding") report(`includes ${header}, which only native/binding may`);
    return;
  }
  const target = [join(native, header), join(dirname(file), header)].find((path) => existsSync(path));
  if (target === undefined) return;
  const targetRoom = relative(native, target).split("/")[0];
  if (!allowedRooms(room).includes(targetRoom))
    report(`native/${room} must not include native/${targetRoom} (${header})`);
}

function checkFile(file) {
  const [room] = relative(native, file).split("/");
  const text = readFileSync(file, "utf8");
  const report = (line) => (message) => problems.push(`${relative(root, file)}:${line}: ${message}`);
  if (!OUTSIDE.includes(room) && !ROOMS.includes(room)) report(1)(`native/${room} is no known room`);
  for (const [index, line] of text.split("\n").entries()) {
    const include = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line);
    if (include !== null) checkInclude(file, room, include[1], report(index + 1));
  }
  if (OUTSIDE.includes(room)) return;
  for (const [index, line] of codeOnly(text).split("\n").entries()) {
    for (const [pattern, what] of FORBIDDEN) {
      const match = pattern.exec(line);
      if (match !== null)
        report(index + 1)(`${match[0].trim()} ${what}; native code reports faults as values or exceptions`);
    }
  }
}

function checkList(list, expected) {
  const listed = readFileSync(join(root, list), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  for (const path of expected.filter((path) => !listed.includes(path))) problems.push(`${list}: ${path} is missing`);
  for (const path of listed.filter((path) => !expected.includes(path)))
    problems.push(`${list}: ${path} does not belong here`);
  if (listed.join() !== listed.toSorted().join()) problems.push(`${list}: the paths are not sorted`);
}

const files = readdirSync(native, { recursive: true })
  .filter((path) => /\.(h|cc)$/.test(path))
  .map((path) => `native/${path}`)
  .toSorted();
const sources = files.filter((path) => path.endsWith(".cc") && !OUTSIDE.includes(path.split("/")[1]));
for (const file of files) checkFile(join(root, file));
checkList(
  "native/sources-core.txt",
  sources.filter((path) => !path.startsWith("native/binding/")),
);
checkList(
  "native/sources-binding.txt",
  sources.filter((path) => path.startsWith("native/binding/")),
);

for (const problem of problems) console.error(problem);
console.log(`native layers: ${files.length} files, ${problems.length} problem(s)`);
process.exitCode = problems.length === 0 ? 0 : 1;
