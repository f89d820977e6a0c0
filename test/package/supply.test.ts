/** What of others' work is in the package: only what was let in, as it was locked, and written down. */
import { execFile, spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const CHECK = join(ROOT, "scripts/check-supply.mjs");

interface Locked {
  version: string;
  license?: string;
  integrity?: string;
  resolved?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
}

interface Lock {
  packages: Record<string, Locked>;
}

interface Manifest {
  dependencies: Record<string, string>;
  scripts: Record<string, string>;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-supply-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function json<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(path, "utf8")) as T;
}

/** The check of a copy of this package's two files, as `spoil` leaves them. */
async function check(
  spoil: (lock: Lock, manifest: Manifest) => void,
): Promise<{ status: number | null; stderr: string }> {
  for (const name of ["package.json", "package-lock.json"]) await cp(join(ROOT, name), join(folder, name));
  const [lock, manifest] = [
    await json<Lock>(join(folder, "package-lock.json")),
    await json<Manifest>(join(folder, "package.json")),
  ];
  spoil(lock, manifest);
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const { status, stderr } = spawnSync(process.execPath, [CHECK, folder], { encoding: "utf8" });
  return { status, stderr };
}

describe("npm run check:supply", () => {
  it("finds nothing to object to in this package as it is installed", () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^supply: \d+ packages shipped, \d+ locked, compared with what is installed; 0 fault\(s\)\n$/,
    );
  });

  const commander = "node_modules/commander";
  const entry = (lock: Lock, path = commander): Locked => lock.packages[path] as Locked;

  it.each<[string, (lock: Lock, manifest: Manifest) => void, RegExp]>([
    ["a hash that is missing", (lock) => delete entry(lock).integrity, /commander: no SHA-512/],
    ["a weak hash", (lock) => (entry(lock).integrity = "sha1-x"), /commander: no SHA-512/],
    [
      "a hash that a tool for development lacks",
      (lock) => delete entry(lock, "node_modules/vitest").integrity,
      /vitest: no SHA/,
    ],
    ["another source", (lock) => (entry(lock).resolved = "git+ssh://git@x/y.git"), /commander: from git/],
    ["another licence", (lock) => (entry(lock).license = "(MIT AND GPL-3.0-only)"), /commander: licence \(MIT AND GPL/],
    ["no licence", (lock) => delete entry(lock).license, /commander: licence unknown/],
    ["an install script", (lock) => (entry(lock).hasInstallScript = true), /commander: has an install script/],
    [
      "a package that nobody let in",
      (lock) => (lock.packages["node_modules/left-pad"] = { ...entry(lock) }),
      /left-pad: is shipped and not in the list/,
    ],
    [
      "a range",
      (_lock, manifest) => (manifest.dependencies["commander"] = "^14.0.3"),
      /commander: expected an exact version/,
    ],
    [
      "a script of our own",
      (_lock, manifest) => (manifest.scripts["postinstall"] = "x"),
      /postinstall: this script would run/,
    ],
  ])("objects to %s", async (_what, spoil, message) => {
    const { status, stderr } = await check(spoil);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toEqual([expect.stringMatching(message)]);
  });
});

describe("the SBOM", () => {
  it("names everything that is shipped with its hash and licence, the same each time, and is in the package", async () => {
    const [first, second] = [join(folder, "a.json"), join(folder, "b.json")];
    for (const file of [first, second])
      await promisify(execFile)(process.execPath, [join(ROOT, "scripts/sbom.mjs"), file]);
    expect(await readFile(first, "utf8")).toBe(await readFile(second, "utf8"));
    interface Component {
      name: string;
      version: string;
      purl: string;
      hashes: { alg: string; content: string }[];
      licenses: unknown[];
    }
    const sbom = await json<{ bomFormat: string; metadata: { component: Component }; components: Component[] }>(first);
    const manifest = await json<Manifest & { files: string[]; version: string }>(join(ROOT, "package.json"));
    expect(sbom.bomFormat).toBe("CycloneDX");
    expect(sbom.metadata.component).toMatchObject({ name: "cnb-load", version: manifest.version });
    const lock = await json<Lock>(join(ROOT, "package-lock.json"));
    const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
    const known = shipped.map(([path, { version, integrity = "" }]) => {
      const name = path.slice(path.lastIndexOf("node_modules/") + 13);
      return `${name} ${version} ${Buffer.from(integrity.slice(7), "base64").toString("hex")}`;
    });
    const listed = sbom.components.map(({ name, version, hashes }) => `${name} ${version} ${hashes[0]?.content ?? ""}`);
    expect(new Set(listed)).toEqual(new Set(known));
    expect(sbom.components.every(({ licenses, purl }) => licenses.length > 0 && purl.startsWith("pkg:npm/"))).toBe(
      true,
    );
    expect(manifest.files).toContain("sbom.cdx.json");
    expect(manifest.files).toContain("SECURITY.md");
    expect(manifest.scripts["prepack"]).toContain("npm run sbom");
  });
});
