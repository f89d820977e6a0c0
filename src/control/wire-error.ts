import { CnbLoadError, type ErrorCode } from "../errors.js";

/** Every code that may cross the wire; an unknown one comes from a newer peer. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  ERR_INVALID_OPTION: true,
  ERR_CONNECT: true,
  ERR_LISTEN: true,
  ERR_BUSY: true,
  ERR_AUTH: true,
  ERR_LIMIT: true,
  ERR_VERSION: true,
  ERR_PROTOCOL: true,
  ERR_PEER_LOST: true,
  ERR_PEER_FAILED: true,
  ERR_PORTS_EXHAUSTED: true,
  ERR_TIMEOUT: true,
  ERR_TRAFFIC: true,
  ERR_PLATFORM: true,
  ERR_CLOSED: true,
};

export interface WireError {
  code: string;
  message: string;
  option?: string;
  retryAfterMs?: number;
  syscall?: string;
  errno?: number;
  address?: string;
}

const MAX_MESSAGE = 1000;

/** An error as the peer may see it. What is no CnbLoadError is a fault of this program, whose details stay here. */
export function toWire(error: unknown): WireError {
  if (!(error instanceof CnbLoadError)) return { code: "ERR_PEER_FAILED", message: "internal error" };
  const { code, message, option, retryAfterMs, syscall, errno, address } = error;
  return {
    code,
    message: message.slice(0, MAX_MESSAGE),
    ...(option !== undefined && { option }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(syscall !== undefined && { syscall }),
    ...(errno !== undefined && { errno }),
    ...(address !== undefined && { address }),
  };
}

/** An error that the server told. Its texts are the peer's: control characters could play tricks on a terminal. */
export function fromWire(wire: WireError): CnbLoadError {
  const code = Object.hasOwn(CODES, wire.code) ? (wire.code as ErrorCode) : "ERR_PEER_FAILED";
  const clean = (text: string | undefined): string | undefined => text?.replace(/\p{C}+/gu, " ").slice(0, MAX_MESSAGE);
  return new CnbLoadError(code, `the server: ${clean(wire.message)}`, {
    option: clean(wire.option),
    retryAfterMs: wire.retryAfterMs,
    syscall: clean(wire.syscall),
    errno: wire.errno,
    address: clean(wire.address),
  });
}
