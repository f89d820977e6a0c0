/** Files that options name, for credentials. */
import { type FileHandle, open } from "node:fs/promises";
import { CnbLoadError } from "../errors.js";
import { conflictingOption } from "../options/spec.js";

/** More than any secret or chain of certificates takes. */
const MOST_BYTES = 1024 * 1024;
/** Writing by the group, anything by others: as ssh has it, but that the group of a service may read its secret. */
const TOO_OPEN = 0o027;

/** What is no secret. Throws ERR_INVALID_OPTION, as {@link readPrivate} does; no message holds anything of what is in a file. */
export function readOpen(option: string, path: string): Promise<Buffer> {
  return read(option, path, () => undefined);
}

/** A file that nobody but its owner, and readers of its group, may get at. */
export function readPrivate(option: string, path: string): Promise<Buffer> {
  return read(option, path, (mode) => {
    if ((mode & TOO_OPEN) === 0) return;
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    throw conflictingOption(option, `${path} is open to other users (mode ${octal}); \`chmod 600\` makes it private`);
  });
}

async function read(option: string, path: string, check: (mode: number) => void): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { mode, size } = await file.stat();
    check(mode);
    if (size > MOST_BYTES)
      throw conflictingOption(option, `${path} has ${size} bytes, too many for what it should hold`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof CnbLoadError) throw error;
    throw conflictingOption(option, `cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  } finally {
    await file?.close();
  }
}
