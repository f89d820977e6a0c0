import type { TLSSocket } from "node:tls";
import { CnbLoadError } from "../errors.js";
import type { TlsMaterial } from "./tls-material.js";

/** Why a client may not go on although TLS is up; undefined where it may. */
export function certificateRefusal(material: TlsMaterial, socket: TLSSocket): CnbLoadError | undefined {
  if (material.pem.ca === undefined || socket.authorized) return undefined;
  const shown = Object.keys(socket.getPeerCertificate()).length > 0;
  const text = shown
    ? `the client's certificate is not accepted: ${String(socket.authorizationError)}`
    : "this server asks for a client certificate (--tls-cert, --tls-key), and the client has none";
  return new CnbLoadError("ERR_AUTH", text);
}
