/**
 * Writes what the package is made of in CycloneDX's form: `node scripts/sbom.mjs [FILE]`, before packing. From the lock file alone, without a
 * network; nothing in it depends on when or where it was made.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const file = process.argv[2] ?? join(root, "sbom.cdx.json");
const args = ["sbom", "--sbom-format", "cyclonedx", "--sbom-type", "application", "--package-lock-only"];
const maxBuffer = 64 * 1024 * 1024;
const sbom = JSON.parse(
  execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer, stdio: ["ignore", "pipe", "ignore"] }),
);
const { name } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

// npm's own --omit=dev leaves out what development tools need as well (commander).
const shipped = new Set(
  Object.entries(packages)
    .filter(([path, { dev }]) => path !== "" && !dev)
    .map(([path, { version }]) => `${path.split("node_modules/").at(-1)}@${version}`),
);
const own = sbom.metadata.component["bom-ref"];
const isShipped = (ref) => ref === own || shipped.has(refs.get(ref));
const refs = new Map(sbom.components.map((part) => [part["bom-ref"], `${part.name}@${part.version}`]));
sbom.components = sbom.components.filter((part) => isShipped(part["bom-ref"]));
sbom.dependencies = sbom.dependencies
  .filter(({ ref }) => isShipped(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isShipped) }));
delete sbom.serialNumber;
delete sbom.metadata.timestamp;
// npm names it after the folder.
sbom.metadata.component.name = name;
writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
