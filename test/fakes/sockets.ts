import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** Both ends of a TCP connection over loopback. */
export async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const near = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [far] = (await once(server, "connection")) as [Socket];
  if (near.connecting) await once(near, "connect");
  server.close();
  return [near, far];
}

/** Everything that a socket receives until its other end closes; a reset, with which the kernel answers what is sent after that, is one more end. */
export async function drain(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  // Not once(): it rejects where an error comes first.
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks);
}
