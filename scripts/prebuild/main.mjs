// Builds the addon for the package: prebuilds/linux-ARCH/cnb_load.node, for any Linux of that architecture, glibc or musl.
// Usage: node scripts/prebuild/main.mjs [x64] [arm64]   (both by default; Debian: g++, g++-aarch64-linux-gnu)
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, statSync, symlinkSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { join } from "node:path";
import { stubLibc } from "./stub-libc.mjs";

const ROOT = join(import.meta.dirname, "../..");
const TRIPLETS = { x64: "x86_64-linux-gnu", arm64: "aarch64-linux-gnu" };
const NODE_GYP = createRequire(import.meta.url).resolve("node-gyp/bin/node-gyp.js");

/** In a tree of its own, so that neither the developer's build nor another target's is touched; incremental. */
function build(arch) {
  const compiler = `${TRIPLETS[arch]}-g++`;
  const tree = join(ROOT, "build-prebuild", `linux-${arch}`);
  const stubs = join(tree, "stubs");
  mkdirSync(tree, { recursive: true });
  for (const source of ["native", "binding.gyp", "bindings.gyp", "package.json"]) {
    cpSync(join(ROOT, source), join(tree, source), { recursive: true, preserveTimestamps: true });
  }
  rmSync(join(tree, "node_modules"), { force: true });
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  stubLibc(compiler, stubs);
  const env = { ...process.env, CXX: compiler, LINK: compiler, LDFLAGS: `-L${stubs}` };
  const gyp = (...args) => {
    const options = [`--arch=${arch}`, "--loglevel=warn"];
    execFileSync(process.execPath, [NODE_GYP, ...options, ...args], {
      cwd: tree,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    });
  };
  gyp("configure", "--", "-Dportable=1");
  gyp("build", `--jobs=${cpus().length}`);
  const target = join(ROOT, "prebuilds", `linux-${arch}`, "cnb_load.node");
  cpSync(join(tree, "build/Release/cnb_load.node"), target);
  console.log(`${target}: ${statSync(target).size} bytes`);
}

const wanted = process.argv.slice(2);
const unknown = wanted.find((arch) => TRIPLETS[arch] === undefined);
if (unknown !== undefined) {
  console.error(`unknown architecture ${unknown}, expected ${Object.keys(TRIPLETS).join(" or ")}`);
  process.exit(2);
}
for (const arch of wanted.length > 0 ? wanted : Object.keys(TRIPLETS)) build(arch);
