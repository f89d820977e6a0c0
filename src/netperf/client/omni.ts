/** What a test of family OMNI is, from its options. */
import { NetperfExit } from "./exit.js";
import type { Settings, TestKind } from "./settings.js";
import { unsupported } from "./tests.js";

const SEND = 2;
const RECEIVE = 4;
const NAMES: Readonly<Record<string, number>> = {
  ...{ send: SEND, xmit: SEND, transmit: SEND, stream: SEND },
  ...{ recv: RECEIVE, receive: RECEIVE, maerts: RECEIVE, rr: SEND | RECEIVE },
};

export const DIRECTIONS: Readonly<Record<TestKind, string>> = {
  send: "Send",
  receive: "Receive",
  rr: "Send|Recv",
  crr: "Connect|Send|Recv",
  cc: "Connection",
};

/** What only a test of family OMNI may still change. */
export interface OmniChoice {
  /** Bits of -d, undefined = not given. */
  direction: number | undefined;
  connection: boolean;
  requests: boolean;
  send: boolean;
  receive: boolean;
  protocol: string | undefined;
}

/** Bits of -d as the client sees them. Throws NetperfExit. */
export function directionOf(text: string): number {
  return text
    .toLowerCase()
    .split("|")
    .map((word) => NAMES[word] ?? numberOf(word, text))
    .reduce((bits, one) => bits | one, 0);
}

function numberOf(word: string, text: string): number {
  const bits = /^(0x[\da-f]+|\d+)$/.test(word) ? Number(word) : -1;
  if (bits >= 0 && (bits & ~(SEND | RECEIVE)) === 0) return bits;
  throw new NetperfExit(1, {
    err: `netperf: -- -d ${text}: expected send, recv, rr, or their bits (2, 4, 6; 0 with -c)\n`,
  });
}

/** Throws NetperfExit. */
export function applyOmni(settings: Settings, choice: OmniChoice): void {
  if (settings.test === "OMNI") {
    settings.kind = kindOf(choice);
    settings.title = `OMNI ${DIRECTIONS[settings.kind]} TEST`;
  }
  const protocol = choice.protocol?.toLowerCase() ?? settings.protocol;
  const known = protocol === "tcp" || (protocol === "udp" && (settings.kind === "send" || settings.kind === "rr"));
  const changeable = settings.wire === "omni" || protocol === settings.protocol;
  if (!known || !changeable) throw unsupported(`${settings.test} (${DIRECTIONS[settings.kind]}) over ${protocol}`);
  settings.protocol = protocol;
}

function kindOf({ direction, connection, requests, send, receive }: OmniChoice): TestKind {
  const implied = requests ? SEND | RECEIVE : (send ? SEND : 0) | (receive ? RECEIVE : 0);
  const bits = direction ?? implied;
  if (connection && bits === 0) return "cc";
  if (bits === 0 || bits === SEND) return refuseConnection("send", connection);
  if (bits === RECEIVE) return refuseConnection("receive", connection);
  return connection ? "crr" : "rr";
}

function refuseConnection(kind: TestKind, connection: boolean): TestKind {
  if (!connection) return kind;
  throw unsupported(`one connection per ${kind} (-- -c -d ${kind})`);
}
