// Stands in for glibc when a portable binary is linked: stubs with the names and versions that glibc FLOOR had. The linker then takes the
// version of each function that is in every glibc since FLOOR, and misses what came later.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What Node's own binaries need: https://github.com/nodejs/node/blob/main/BUILDING.md#platform-list */
export const FLOOR = "2.28";

const LIBRARIES = ["c", "m"];

/** Writes libc.so and libm.so into the folder, by what the compiler's own glibc has. */
export function stubLibc(compiler, folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of LIBRARIES) {
    const real = execFileSync(compiler, [`-print-file-name=lib${name}.so.6`], { encoding: "utf8" }).trim();
    const symbols = readSymbols(real);
    if (symbols.size === 0) throw new Error(`${real}: no symbol of glibc ${FLOOR} or earlier in it`);
    const assembly = join(folder, `${name}.s`);
    const script = join(folder, `${name}.map`);
    writeFileSync(assembly, [...symbols.values()].map(definition).join("") + '.section .note.GNU-stack,"",%progbits\n');
    writeFileSync(script, versionScript(symbols));
    const options = ["-shared", "-nostdlib", `-Wl,-soname,lib${name}.so.6`, `-Wl,--version-script,${script}`];
    execFileSync(compiler, [...options, "-o", join(folder, `lib${name}.so`), assembly], { stdio: "inherit" });
  }
}

/** Of each public symbol the newest version up to FLOOR. */
function readSymbols(library) {
  const listing = execFileSync("readelf", ["--wide", "--dyn-syms", library], { encoding: "utf8", maxBuffer: 1 << 26 });
  const chosen = new Map();
  // "  12: 0000000000087be0  1045 FUNC  GLOBAL DEFAULT  16 memcpy@@GLIBC_2.14"
  const row = /^ *\d+: [\da-f]+ +\w+ (FUNC|OBJECT|IFUNC) +(?:GLOBAL|WEAK) +DEFAULT +\d+ (\w+)@@?GLIBC_([\d.]+)$/gm;
  for (const [, type, name, version] of listing.matchAll(row)) {
    if (isNewer(version, FLOOR)) continue;
    if (chosen.has(name) && !isNewer(version, chosen.get(name).version)) continue;
    chosen.set(name, { name, type, version });
  }
  return chosen;
}

function isNewer(a, b) {
  return a.localeCompare(b, "en", { numeric: true }) > 0;
}

function definition({ name, type }) {
  return `.globl ${name}\n.type ${name},%${type === "OBJECT" ? "object" : "function"}\n${name}: .quad 0\n`;
}

function versionScript(symbols) {
  const byVersion = groupByVersion(symbols);
  const nodes = [...byVersion].map(([version, list]) => {
    return `GLIBC_${version} { ${list.map(({ name }) => `${name};`).join(" ")} };\n`;
  });
  return nodes.join("");
}

function groupByVersion(symbols) {
  const groups = new Map();
  for (const symbol of symbols.values()) groups.set(symbol.version, [...(groups.get(symbol.version) ?? []), symbol]);
  return groups;
}
