import { X509Certificate, createPrivateKey } from "node:crypto";
import { conflictingOption } from "../options/spec.js";
import { readOpen, readPrivate } from "./files.js";

/** Both ends are of this project: nothing older needs to be spoken. */
export const TLS_VERSION = "TLSv1.3";

/** Names of files; "" = none. */
export interface TlsSources {
  tls?: boolean | undefined;
  tlsCa?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  tlsName?: string | undefined;
}

/** What one end needs for TLS. */
export interface TlsMaterial {
  /** As node:tls takes them; of a client without `ca` the system's roots count. */
  pem: { ca?: Buffer; cert?: Buffer; key?: Buffer };
  /** Name in the server's certificate, where it is another one than the host's. */
  name?: string;
}

/** Undefined where no TLS was asked for. Throws ERR_INVALID_OPTION. */
export async function readTls(sources: TlsSources, role: "client" | "server"): Promise<TlsMaterial | undefined> {
  const { tls = false, tlsCa = "", tlsCert = "", tlsKey = "", tlsName = "" } = sources;
  if (tlsKey === "" && tlsCert !== "") throw conflictingOption("tlsCert", "needs the certificate's key in tlsKey");
  if (tlsKey !== "" && tlsCert === "") throw conflictingOption("tlsKey", "needs the key's certificate in tlsCert");
  if (role === "server" && tlsCa !== "" && tlsCert === "") {
    throw conflictingOption("tlsCa", "asks clients for certificates, and the server has none itself (tlsCert)");
  }
  if (!tls && tlsCa === "" && tlsCert === "") {
    if (tlsName !== "")
      throw conflictingOption("tlsName", "says whose certificate is expected, and no TLS was asked for");
    return undefined;
  }
  const ca = tlsCa === "" ? undefined : await readCertificate("tlsCa", tlsCa);
  const pair = tlsCert === "" ? undefined : await readPair(tlsCert, tlsKey);
  return { pem: { ...(ca && { ca: ca.pem }), ...pair }, ...(tlsName !== "" && { name: tlsName }) };
}

async function readPair(certPath: string, keyPath: string): Promise<{ cert: Buffer; key: Buffer }> {
  const { pem: cert, certificate } = await readCertificate("tlsCert", certPath);
  const key = await readPrivate("tlsKey", keyPath);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw conflictingOption("tlsKey", `${keyPath} holds no private key in PEM that can be used without a passphrase`);
  }
  if (!matches) throw conflictingOption("tlsKey", `${keyPath} is not the key of ${certPath}`);
  return { cert, key };
}

async function readCertificate(option: string, path: string): Promise<{ pem: Buffer; certificate: X509Certificate }> {
  const pem = await readOpen(option, path);
  try {
    return { pem, certificate: new X509Certificate(pem) };
  } catch {
    throw conflictingOption(option, `${path} holds no certificate in PEM`);
  }
}
