import { randomBytes } from "node:crypto";
import { open, realpath, rename, stat, unlink } from "node:fs/promises";
import { getSystemErrorMap } from "node:util";

/** Writing failed; what could be printed elsewhere has been. */
export class OutputError extends Error {
  override readonly name = "OutputError";
}

/** A reader that went away ("| head") is no fault worth a line. */
export class ReaderGoneError extends OutputError {}

export const NOTHING_MEASURED = "cnb-load: interrupted before anything was measured\n";

/** Resolves once the text has left the process; rejects with OutputError. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else if ("code" in error && error.code === "EPIPE") reject(new ReaderGoneError("stdout was closed"));
      else reject(new OutputError(`cannot write to stdout: ${error.message}`));
    });
  });
}

/** Progress, warnings and errors. Losing them is no reason to fail. */
export function note(text: string): void {
  process.stderr.write(text);
}

/** Failed writes are told by their callbacks; without listeners the same failures would end the process with a stack trace. */
export function surviveClosedStreams(): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}

/**
 * Writes a file so that readers see the old content or all of the new: beside the target first, then renamed. What is no regular
 * file (a device, a pipe) is written in place. Rejects with OutputError.
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    const existing = await stat(target).catch(() => undefined);
    if (existing !== undefined && !existing.isFile()) {
      await writeAll(target, "w", text);
      return;
    }
    const temporary = `${target}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      await writeAll(temporary, "wx", text, existing?.mode);
      await rename(temporary, target);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
  } catch (cause) {
    throw new OutputError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** "EACCES: permission denied": Node.js goes on with the call and the path, which may be that of a temporary file. */
export function reasonOf(error: unknown): string {
  const { message, code, errno } = error as NodeJS.ErrnoException;
  const [, text] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return code === undefined || text === undefined ? message : `${code}: ${text}`;
}

async function writeAll(path: string, flags: string, text: string, mode = 0o666): Promise<void> {
  const file = await open(path, flags, mode);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}
