/** Certificates for tests of TLS, made by openssl: nothing secret lies in the repository. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "./requires.js";

export const openssl = command("openssl", ["version"]);

export interface Pair {
  tlsCert: string;
  tlsKey: string;
}

export interface Certificates {
  /** Vouches for the first three. */
  ca: string;
  /** For localhost and 127.0.0.1. */
  server: Pair;
  /** Likewise, of somebody else's. */
  twin: Pair;
  client: Pair;
  /** Vouched for by itself alone. */
  stranger: Pair;
}

const NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1";

export function makeCertificates(folder: string): Certificates {
  const path = (name: string): string => join(folder, name);
  const run = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
  const selfSigned = (name: string): Pair => {
    const [tlsCert, tlsKey] = [path(`${name}.pem`), path(`${name}.key`)];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tlsKey];
    run("req", "-x509", ...key, "-out", tlsCert, "-days", "30", "-subj", `/CN=${name}`);
    return { tlsCert, tlsKey };
  };
  const ca = selfSigned("ca");
  writeFileSync(path("names"), NAMES);
  const signed = (name: string): Pair => {
    const [tlsCert, tlsKey, request] = [path(`${name}.pem`), path(`${name}.key`), path(`${name}.csr`)];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", tlsKey];
    run("req", "-new", ...key, "-out", request, "-subj", `/CN=${name}`);
    const signer = ["-CA", ca.tlsCert, "-CAkey", ca.tlsKey, "-CAcreateserial", "-extfile", path("names")];
    run("x509", "-req", "-in", request, ...signer, "-out", tlsCert, "-days", "30");
    return { tlsCert, tlsKey };
  };
  return {
    ca: ca.tlsCert,
    server: signed("server"),
    twin: signed("twin"),
    client: signed("client"),
    stranger: selfSigned("stranger"),
  };
}
