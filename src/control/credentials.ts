import { readFile as readDescriptor } from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { CnbLoadError } from "../errors.js";
import { conflictingOption } from "../options/spec.js";
import { Token } from "./token.js";

/** What one end shows to the other. */
export interface Credentials {
  token?: Token | undefined;
}

/** Where credentials come from; a file "" is none. */
export interface CredentialSources {
  token?: string | undefined;
  tokenFile?: string | undefined;
}

const STDIN = 0;
/** More than any secret takes. */
const MOST_FILE_BYTES = 1024 * 1024;
/** Writing by the group, anything by others: as ssh has it, but that the group of a service may read its secret. */
const TOO_OPEN = 0o027;

/** Throws ERR_INVALID_OPTION for files that cannot be read or are of no use; no message holds anything of what is in them. */
export async function readCredentials({ token, tokenFile = "" }: CredentialSources): Promise<Credentials> {
  if (token !== undefined) return { token: new Token(token) };
  if (tokenFile === "") return {};
  const secret = tokenFile === "-" ? await promisify(readDescriptor)(STDIN) : await readPrivate("tokenFile", tokenFile);
  return { token: new Token(secret, "tokenFile") };
}

async function readPrivate(option: string, path: string): Promise<Buffer> {
  try {
    await using file = await open(path, "r");
    const { mode, size } = await file.stat();
    if ((mode & TOO_OPEN) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      throw conflictingOption(option, `${path} is open to other users (mode ${octal}); \`chmod 600\` makes it private`);
    }
    if (size > MOST_FILE_BYTES) throw conflictingOption(option, `${path} has ${size} bytes, too many for a secret`);
    return await file.readFile();
  } catch (error) {
    if (error instanceof CnbLoadError) throw error;
    throw conflictingOption(option, `cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}
