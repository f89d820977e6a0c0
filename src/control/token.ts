import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { CnbLoadError } from "../errors.js";
import { conflictingOption } from "../options/spec.js";

/** Whoever hears a handshake can try secrets against it at leisure: below this they would be guessed. */
const LEAST_BYTES = 16;
const MOST_BYTES = 4096;
const NONCE_BYTES = 32;
const NONCE = /^[0-9a-f]{64}$/;
/** Sets these MACs apart from any other use of the same secret. */
const PURPOSE = "cnb-load token 1";

/** What a proof is about: it holds for this one handshake alone. */
export interface Exchange {
  clientNonce: string;
  serverNonce: string;
  /** What sets the connection apart that the proof comes over: of {@link bindingOf}. */
  binding: string;
}

export type Prover = "client" | "server";

/** A secret that both ends know. Private, so that nothing prints or serialises it. */
export class Token {
  readonly #key: Buffer;

  /** `option`: where the secret came from, for messages. Throws ERR_INVALID_OPTION. */
  constructor(secret: string | Buffer, option: "token" | "tokenFile" = "token") {
    // An editor's or echo's last newline is no part of a secret.
    const text = secret.toString("utf8").replace(/[\r\n]+$/, "");
    this.#key = Buffer.from(text, "utf8");
    const bytes = this.#key.length;
    if (bytes >= LEAST_BYTES && bytes <= MOST_BYTES) return;
    const advice = "`openssl rand -hex 32` makes a good one";
    throw conflictingOption(option, `expected ${LEAST_BYTES} to ${MOST_BYTES} bytes, got ${bytes}; ${advice}`);
  }

  /** HMAC-SHA-256 (RFC 2104) over fields of fixed length; the role keeps an end's proof from being sent back to it. */
  prove(prover: Prover, { clientNonce, serverNonce, binding }: Exchange): string {
    const text = `${PURPOSE} ${prover} ${clientNonce} ${serverNonce} ${binding}`;
    return createHmac("sha256", this.#key).update(text).digest("hex");
  }

  /** Takes as long for any proof of the right length. */
  isProven(prover: Prover, exchange: Exchange, proof: string): boolean {
    const expected = Buffer.from(this.prove(prover, exchange));
    const came = Buffer.from(proof);
    return came.length === expected.length && timingSafeEqual(came, expected);
  }
}

/**
 * Under TLS a value that both ends derive from this one handshake of TLS (RFC 9266), so that nobody who holds some other valid certificate
 * can pass a proof on.
 */
export function bindingOf(socket: Socket): string {
  if (!("exportKeyingMaterial" in socket)) return "plain";
  return (socket as TLSSocket).exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)).toString("hex");
}

export function makeNonce(): string {
  return randomBytes(NONCE_BYTES).toString("hex");
}

/** Throws ERR_PROTOCOL. */
export function checkNonce(peer: Prover, nonce: string): string {
  if (NONCE.test(nonce)) return nonce;
  throw new CnbLoadError(
    "ERR_PROTOCOL",
    `the ${peer} sent a bad message: hello.nonce: expected 32 bytes in hexadecimal`,
  );
}
