/** What a shared object takes from the libraries of its process, by readelf of binutils, which reads every architecture. */
import { exec } from "./support.js";

export interface Import {
  name: string;
  /** Such as "GLIBC_2.17", or undefined for a symbol without version. */
  version: string | undefined;
  /** May stay unresolved. */
  weak: boolean;
}

// "    12: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND memcpy@GLIBC_2.14 (2)"
const SYMBOL = /^ *\d+: [\da-f]+ +\d+ \w+ +(GLOBAL|WEAK) +\w+ +(UND|\d+) ([\w.]+)(?:@@?([\w.]+))?/gm;

async function readelf(option: string, path: string): Promise<string> {
  return (await exec("readelf", ["--wide", option, path], { maxBuffer: 1 << 26 })).stdout;
}

export async function imports(path: string): Promise<Import[]> {
  const symbols = [...(await readelf("--dyn-syms", path)).matchAll(SYMBOL)].filter(
    ([, , section]) => section === "UND",
  );
  return symbols.map(([, binding, , name = "", version]) => ({ name, version, weak: binding === "WEAK" }));
}

export async function exported(path: string): Promise<string[]> {
  const symbols = [...(await readelf("--dyn-syms", path)).matchAll(SYMBOL)].filter(
    ([, , section]) => section !== "UND",
  );
  return symbols.map(([, , , name = ""]) => name);
}

export async function needed(path: string): Promise<string[]> {
  return [...(await readelf("--dynamic", path)).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name = ""]) => name);
}
