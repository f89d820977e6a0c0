// npm's install step: the addon that came with the package where it loads here, else one compiled from source. A clone of the repository (it
// has a tsconfig.json, the package has none) and `npm install --build-from-source` compile always.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const prebuilt = join(root, "prebuilds", `${process.platform}-${process.arch}`, "cnb_load.node");

function reasonToCompile() {
  if (existsSync(join(root, "tsconfig.json"))) return "this is a clone of the repository";
  if (process.env.npm_config_build_from_source === "true") return "--build-from-source was given";
  try {
    createRequire(import.meta.url)(prebuilt);
    return undefined;
  } catch (error) {
    return `${prebuilt} cannot be loaded: ${error.message.split("\n", 1)[0]}`;
  }
}

const reason = reasonToCompile();
if (reason !== undefined) {
  const built = spawnSync("node-gyp", ["configure", "build", "--jobs=max"], { cwd: root, stdio: "inherit" });
  if (built.status !== 0) {
    const failure = built.error?.message ?? "node-gyp failed, see above";
    console.error(`cnb-load: no addon for ${process.platform}-${process.arch}.`);
    console.error(`  prebuilt: ${reason}`);
    console.error(`  compiled from source (python3, make and g++ with C++20): ${failure}`);
    process.exitCode = 1;
  }
}
