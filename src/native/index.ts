import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { CnbLoadError } from "../errors.js";
import type { NativeAddon } from "./surface.js";

export type * from "./surface.js";

/** What loading depends on; tests put their own in its place. */
export interface LoadEnvironment {
  platform: NodeJS.Platform;
  /** Value of CNB_LOAD_ADDON: path of another build, or undefined. */
  override: string | undefined;
  load: (path: string) => unknown;
}

/** The same from `src/native` and from `dist/native`: both lie two levels below the package's root. */
const BUILT_ADDON = fileURLToPath(new URL("../../build/Release/cnb_load.node", import.meta.url));

function environment(): LoadEnvironment {
  return {
    platform: process.platform,
    override: process.env["CNB_LOAD_ADDON"],
    load: createRequire(import.meta.url),
  };
}

/**
 * The native addon, loaded on first use (Node keeps it; loading again is a table look-up).
 * Throws ERR_PLATFORM, saying what was tried and how to build, where there is none.
 */
export function loadAddon(from: LoadEnvironment = environment()): NativeAddon {
  if (from.platform !== "linux") {
    throw new CnbLoadError("ERR_PLATFORM", `cnb-load generates traffic on Linux only; this is ${from.platform}`);
  }
  const path = from.override === undefined || from.override === "" ? BUILT_ADDON : from.override;
  try {
    return from.load(path) as NativeAddon;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n", 1)[0] : String(cause);
    const remedy =
      path === BUILT_ADDON
        ? "build it with `npx node-gyp rebuild` in the package's directory (needs python3, make and g++)"
        : "its path comes from CNB_LOAD_ADDON";
    throw new CnbLoadError("ERR_PLATFORM", `cannot load the native addon ${path}: ${reason}; ${remedy}`, { cause });
  }
}
