import { readFile as readDescriptor } from "node:fs";
import { promisify } from "node:util";
import { readPrivate } from "./files.js";
import type { TlsMaterial, TlsSources } from "./tls-material.js";
import { Token } from "./token.js";

/** What one end shows to the other. */
export interface Credentials {
  token?: Token | undefined;
  tls?: TlsMaterial | undefined;
}

/** Where credentials come from; a file "" is none. */
export interface CredentialSources extends TlsSources {
  token?: string | undefined;
  tokenFile?: string | undefined;
}

const STDIN = 0;
/** It can be read once, and a suite asks for its secret before every run. */
let fromStdin: Promise<Buffer> | undefined;

function readStdin(): Promise<Buffer> {
  fromStdin ??= promisify(readDescriptor)(STDIN);
  return fromStdin;
}

/** Throws ERR_INVALID_OPTION for files that cannot be read or are of no use. */
export async function readCredentials(sources: CredentialSources, role: "client" | "server"): Promise<Credentials> {
  // Certificates need what most runs do not.
  const asksForTls =
    sources.tls === true || [sources.tlsCa, sources.tlsCert, sources.tlsKey, sources.tlsName].some(Boolean);
  const tls = asksForTls ? await (await import("./tls-material.js")).readTls(sources, role) : undefined;
  return { token: await readToken(sources), tls };
}

async function readToken({ token, tokenFile = "" }: CredentialSources): Promise<Token | undefined> {
  if (token !== undefined) return new Token(token);
  if (tokenFile === "") return undefined;
  const secret = await (tokenFile === "-" ? readStdin() : readPrivate("tokenFile", tokenFile));
  return new Token(secret, "tokenFile");
}
