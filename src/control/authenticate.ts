/** The token's part of a handshake: after the client's hello, before anything that depends on who it is. */
import { CnbLoadError } from "../errors.js";
import type { Channel } from "./channel.js";
import type { ClientMessage, ServerMessage } from "./messages.js";
import { type Exchange, type Token, checkNonce } from "./token.js";

type Hello<M extends ClientMessage | ServerMessage> = Extract<M, { type: "hello" }>;

/**
 * The server's side: whether a client may go on after its hello. The client proves itself first, so that a stranger gets nothing that
 * secrets could be tried against. Throws ERR_AUTH.
 */
export function expectToken(token: Token | undefined, hello: Hello<ClientMessage>): void {
  if (token === undefined && hello.nonce !== undefined) {
    throw new CnbLoadError("ERR_AUTH", "the client has a token and this server has none; start it with --token-file");
  }
  if (token !== undefined && hello.nonce === undefined) {
    throw new CnbLoadError("ERR_AUTH", "this server asks for a token (--token-file), and the client has none");
  }
}

/** One message for every wrong proof: how it is wrong is nobody's business. Throws ERR_AUTH. */
export async function challenge(
  channel: Channel<ClientMessage, ServerMessage>,
  token: Token,
  exchange: Exchange,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  checkNonce("client", exchange.clientNonce);
  const { proof } = await channel.next(["prove"], timeoutMs, signal);
  if (!token.isProven("client", exchange, proof)) {
    throw new CnbLoadError("ERR_AUTH", "the client's token is not this server's (--token-file)");
  }
  channel.send({ type: "proven", proof: token.prove("server", exchange) });
}

/** The client's side, once the server has sent its hello. Throws ERR_AUTH where the server does not prove itself. */
export async function proveAndCheck(
  channel: Channel<ServerMessage, ClientMessage>,
  token: Token,
  { clientNonce, binding }: Omit<Exchange, "serverNonce">,
  hello: Hello<ServerMessage>,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  if (hello.nonce === undefined) throw impostor("shows no sign of a token");
  const exchange = { clientNonce, binding, serverNonce: checkNonce("server", hello.nonce) };
  channel.send({ type: "prove", proof: token.prove("client", exchange) });
  const { proof } = await channel.next(["proven"], timeoutMs, signal);
  if (!token.isProven("server", exchange, proof)) throw impostor("does not know the token");
}

function impostor(what: string): CnbLoadError {
  return new CnbLoadError("ERR_AUTH", `the server ${what} (--token-file): it may be another one than it seems`);
}
