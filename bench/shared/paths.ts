import { fileURLToPath } from "node:url";

/** The package's root; compiled benches lie two levels below it, as their sources do. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Where what the benches compile goes. */
export const BUILD = `${ROOT}build-bench/`;
