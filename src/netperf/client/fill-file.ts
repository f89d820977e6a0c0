import { closeSync, openSync, readSync } from "node:fs";
import { NetperfExit } from "./exit.js";

/** A larger file is known by its beginning. */
const MOST_BYTES = 1024 * 1024;

/** What -F says that is to be sent, undefined where it says nothing. Throws NetperfExit where the file cannot be read or is empty. */
export function readFillFile(path: string): Uint8Array | undefined {
  if (path === "") return undefined;
  const content = new Uint8Array(MOST_BYTES);
  try {
    const file = openSync(path, "r");
    try {
      const bytes = readSync(file, content);
      if (bytes > 0) return content.slice(0, bytes);
    } finally {
      closeSync(file);
    }
  } catch {
    throw new NetperfExit(1, { out: `Could not open requested fill file: ${path}\n` });
  }
  throw new NetperfExit(1, { err: `netperf: the fill file ${path} is empty\n` });
}
