/**
 * What of others' work is in the package, and whether it is what it should be: `node scripts/check-supply.mjs [FOLDER]`. Needs no network.
 * Exits with 1 and a line for each fault.
 *
 * The names below are the whole list, transitive ones included: whoever adds to what is shipped says so here.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const SHIPPED = [
  ...["cephes", "commander", "hdr-histogram-js", "node-addon-api", "typebox"],
  // Of hdr-histogram-js.
  ...["@assemblyscript/loader", "base64-js", "pako"],
  // Optional: drawings of html reports.
  ...["echarts", "tslib", "zrender"],
];
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Zlib"];
const REGISTRY = "https://registry.npmjs.org/";
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
const EXACT = /^\d+\.\d+\.\d+$/;
/** The package's own scripts that npm runs by itself on its users' machines. */
const OWN_INSTALL_SCRIPTS = ["install"];

const folder = process.argv[2] ?? join(import.meta.dirname, "..");
const faults = [];

function read(name) {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}

/** "a/node_modules/@b/c" is "@b/c". */
function nameOf(path) {
  return path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Of an SPDX expression of names, AND, OR and brackets: all sides must be allowed, which is stricter than OR asks for. */
function isAllowed(licence) {
  const names = (licence ?? "").replace(/[()]/g, " ").split(/\s+(?:AND|OR)\s+|\s+/);
  const present = names.filter((name) => name !== "");
  return present.length > 0 && present.every((name) => LICENCES.includes(name));
}

function checkOwn(manifest) {
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies }))
    if (!EXACT.test(range)) faults.push(`package.json: ${name}: expected an exact version, got ${range}`);
  for (const script of ["preinstall", "install", "postinstall"])
    if (manifest.scripts?.[script] !== undefined && !OWN_INSTALL_SCRIPTS.includes(script))
      faults.push(`package.json: ${script}: this script would run on users' machines`);
}

/** Everything that is locked, for development or not, comes from the registry in use (`resolved` left out) or the public one, with a hash. */
function checkLocked(path, { integrity, resolved, version }) {
  if (!SHA512.test(integrity ?? "")) faults.push(`package-lock.json: ${path}: no SHA-512`);
  if (resolved !== undefined && !resolved.startsWith(REGISTRY))
    faults.push(`package-lock.json: ${path}: from ${resolved}, not from a registry`);
  if (!/^\d/.test(version ?? "")) faults.push(`package-lock.json: ${path}: no version`);
}

function checkShipped(path, entry) {
  const name = nameOf(path);
  if (!SHIPPED.includes(name)) faults.push(`${name}: is shipped and not in the list of ${import.meta.filename}`);
  if (!isAllowed(entry.license))
    faults.push(`${name}: licence ${entry.license ?? "unknown"} is not one of ${LICENCES.join(", ")}`);
  if (entry.hasInstallScript) faults.push(`${name}: has an install script`);
}

/** Where something is installed, what is shipped of it is what was locked. npm keeps its account of that in a lock file of its own. */
function checkInstalled(shipped) {
  const account = join("node_modules", ".package-lock.json");
  if (!existsSync(join(folder, account))) return "not installed";
  const installed = read(account).packages;
  for (const [path, { version, integrity, optional }] of shipped) {
    const found = installed[path];
    if (found === undefined && optional) continue;
    if (
      found?.version !== version ||
      found.integrity !== integrity ||
      read(join(path, "package.json")).version !== version
    )
      faults.push(
        `${path}: locked is ${version}, installed ${found?.version ?? "nothing"}, or its files are of another`,
      );
  }
  return "compared with what is installed";
}

const { packages } = read("package-lock.json");
const all = Object.entries(packages).filter(([path]) => path !== "");
const shipped = all.filter(([, entry]) => !entry.dev);
checkOwn(read("package.json"));
for (const [path, entry] of all) checkLocked(path, entry);
for (const [path, entry] of shipped) checkShipped(path, entry);
const state = checkInstalled(shipped);
for (const fault of faults) console.error(`supply: ${fault}`);
console.log(`supply: ${shipped.length} packages shipped, ${all.length} locked, ${state}; ${faults.length} fault(s)`);
process.exitCode = faults.length === 0 ? 0 : 1;
