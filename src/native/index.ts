import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { CnbLoadError } from "../errors.js";
import type { NativeAddon } from "./surface.js";

export type * from "./surface.js";

/** What loading depends on; tests put their own in its place. */
export interface LoadEnvironment {
  platform: NodeJS.Platform;
  arch: string;
  /** Value of CNB_LOAD_ADDON: path of another build, or undefined. */
  override: string | undefined;
  load: (path: string) => unknown;
}

/** The same from `src/native` and from `dist/native`: both lie two levels below the package's root. */
function inPackage(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

function environment(): LoadEnvironment {
  return {
    platform: process.platform,
    arch: process.arch,
    override: process.env["CNB_LOAD_ADDON"],
    load: createRequire(import.meta.url),
  };
}

/**
 * The native addon, loaded on first use (Node keeps it; loading again is a table look-up): one that was compiled here before the one that
 * came with the package. Throws ERR_PLATFORM, saying what was tried and how to build, where there is none.
 */
export function loadAddon(from: LoadEnvironment = environment()): NativeAddon {
  if (from.platform !== "linux") {
    throw new CnbLoadError("ERR_PLATFORM", `cnb-load generates traffic on Linux only; this is ${from.platform}`);
  }
  if (from.override !== undefined && from.override !== "") {
    return loadFirst([from.override], from.load, "its path comes from CNB_LOAD_ADDON");
  }
  const paths = [inPackage("build/Release/cnb_load.node"), inPackage(`prebuilds/linux-${from.arch}/cnb_load.node`)];
  const remedy = "build it with `npx node-gyp rebuild` in the package's directory (needs python3, make and g++)";
  return loadFirst(paths, from.load, remedy);
}

function loadFirst(paths: readonly string[], load: LoadEnvironment["load"], remedy: string): NativeAddon {
  const failures: string[] = [];
  let cause: unknown;
  for (const path of paths) {
    try {
      return load(path) as NativeAddon;
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
      failures.push(`${path}: ${reason}`);
      cause = error;
    }
  }
  throw new CnbLoadError("ERR_PLATFORM", `cannot load the native addon ${failures.join("; ")}; ${remedy}`, { cause });
}
