import { CnbLoadError } from "../errors.js";
import { PROTOCOL } from "./messages.js";

/** How one end introduces itself. */
export interface Introduction {
  /** Version of cnb-load. */
  version: string;
  /** The kernel's boot id, undefined where it cannot be read. */
  bootId: string | undefined;
}

interface Hello {
  type: "hello";
  protocol: number;
  version?: string;
  bootId?: string;
  nonce?: string;
}

export function makeHello({ version, bootId }: Introduction, nonce: string | undefined): Hello {
  const known = { ...(bootId !== undefined && { bootId }), ...(nonce !== undefined && { nonce }) };
  return { type: "hello", protocol: PROTOCOL, version, ...known };
}

/** Throws ERR_VERSION where the peer speaks another protocol. */
export function checkHello(peer: "client" | "server", self: Introduction, hello: Hello): void {
  if (hello.protocol === PROTOCOL) return;
  const version = (hello.version ?? "of unknown version").replace(/\p{C}+/gu, " ");
  const theirs = `the ${peer} (cnb-load ${version}) speaks protocol ${hello.protocol}`;
  throw new CnbLoadError(
    "ERR_VERSION",
    `${theirs}, this cnb-load ${self.version} speaks ${PROTOCOL}; use the same version`,
  );
}

/** Whether both ends run on one machine, so that CPU figures of both describe the same CPUs. */
export function isSameHost(self: Introduction, hello: Hello): boolean {
  return self.bootId !== undefined && self.bootId === hello.bootId;
}
