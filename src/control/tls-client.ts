/** The client's end of TLS. */
import { once } from "node:events";
import { type Socket, isIP } from "node:net";
import { type TLSSocket, connect } from "node:tls";
import { CnbLoadError } from "../errors.js";
import { unlessAborted } from "./abort.js";
import { TLS_VERSION, type TlsMaterial } from "./tls-material.js";

/** What a server without TLS answers with: alert 70, which no two ends of cnb-load exchange otherwise. */
const NO_TLS_THERE = "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION";

/**
 * TLS over a connection to `host`, whose certificate must be for that name or the one that the material says. Throws ERR_AUTH where the
 * server is not who it should be or has no TLS, ERR_CONNECT where there is no telling, or the signal's reason.
 */
export async function secureClient(
  socket: Socket,
  material: TlsMaterial,
  host: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const name = material.name ?? host;
  // RFC 6066: an address is no server name; the certificate is checked against it all the same.
  const servername = isIP(name) === 0 ? name : "";
  const secured = connect({ socket, host: name, servername, ...material.pem, minVersion: TLS_VERSION });
  const timer = setTimeout(() => {
    const text = `cannot speak TLS with ${host}: no answer within ${(timeoutMs / 1000).toFixed(1)} s`;
    secured.destroy(new CnbLoadError("ERR_CONNECT", text));
  }, timeoutMs);
  try {
    await unlessAborted(once(secured, "secureConnect"), signal);
    return secured;
  } catch (error) {
    secured.on("error", () => undefined).destroy();
    socket.destroy();
    throw error instanceof CnbLoadError || signal.aborted ? error : explain(error as NodeJS.ErrnoException, host);
  } finally {
    clearTimeout(timer);
  }
}

function explain(cause: NodeJS.ErrnoException & { reason?: string }, host: string): CnbLoadError {
  const code = cause.code ?? cause.message;
  if (code === NO_TLS_THERE) {
    return new CnbLoadError("ERR_AUTH", `${host} speaks no TLS: its server was started without --tls-cert`, { cause });
  }
  // OpenSSL's names of what is wrong with a chain have no prefix; ERR_SSL_* and E* are of the handshake and of the connection.
  const isVerdict = code === "ERR_TLS_CERT_ALTNAME_INVALID" || /^(?!E|ERR_)[A-Z_]+$/.test(code);
  if (isVerdict) {
    const text = `the certificate of ${host} is not accepted: ${cause.message} (--tls-ca, --tls-name)`;
    return new CnbLoadError("ERR_AUTH", text, { cause });
  }
  return new CnbLoadError("ERR_CONNECT", `cannot speak TLS with ${host}: ${cause.reason ?? code}`, { cause });
}
