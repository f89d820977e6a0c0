/** The server's end of TLS, for connections that the door has looked into. */
import type { Socket } from "node:net";
import { type TLSSocket, createServer } from "node:tls";
import { CnbLoadError } from "../errors.js";
import { TLS_VERSION, type TlsMaterial } from "./tls-material.js";

/** Wraps a connection of which nothing has been consumed; rejects with CnbLoadError where it comes to nothing. */
export type Secure = (socket: Socket) => Promise<TLSSocket>;

/** `timeoutMs`: for the whole handshake, however its bytes come. */
export function secureDoor(material: TlsMaterial, timeoutMs: number): Secure {
  // Never listens: it makes handshakes of the connections that it is given. Who may come is decided later, where it can be told why.
  const server = createServer({
    ...material.pem,
    minVersion: TLS_VERSION,
    requestCert: material.pem.ca !== undefined,
    rejectUnauthorized: false,
  });
  // Node tells of the outcome by the new socket only: its ends say which connection that was.
  const waiting = new Map<string, (outcome: TLSSocket | Error) => void>();
  server.on("secureConnection", (socket) => waiting.get(endsOf(socket))?.(socket));
  server.on("tlsClientError", (error, socket) => waiting.get(endsOf(socket))?.(error));
  return (socket) =>
    new Promise((resolve, reject) => {
      const ends = endsOf(socket);
      const address = socket.remoteAddress;
      const settle = (outcome: TLSSocket | Error): void => {
        clearTimeout(timer);
        waiting.delete(ends);
        socket.off("close", onClose);
        if (!(outcome instanceof Error)) resolve(outcome);
        else reject(new CnbLoadError("ERR_AUTH", `no TLS with the client: ${reasonOf(outcome)}`, { address }));
      };
      const onClose = (): void => settle(new Error("it closed the connection"));
      const timer = setTimeout(() => {
        settle(new Error(`its handshake took longer than ${timeoutMs / 1000} s`));
        socket.destroy();
      }, timeoutMs);
      socket.once("close", onClose);
      waiting.set(ends, settle);
      server.emit("connection", socket);
    });
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function reasonOf(error: NodeJS.ErrnoException & { reason?: string }): string {
  return error.reason ?? error.code ?? error.message;
}
