import { readFileSync } from "node:fs";

let version: string | undefined;

/** cnb-load's own version. package.json lies at the same distance from `src/result` and `dist/result`. */
export function packageVersion(): string {
  version ??= (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string })
    .version;
  return version;
}
