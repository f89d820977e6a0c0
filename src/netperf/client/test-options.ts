/** What stands behind `--`. */
import { testUsage } from "../output/usage.js";
import { NetperfExit } from "./exit.js";
import { getopt } from "./getopt.js";
import { type OmniChoice, applyOmni, directionOf } from "./omni.js";
import { type OptionTable, flag, optional, paired, specOf, valued } from "./option-table.js";
import { type Settings, type SideSettings, type TableStyle, hasTransactions } from "./settings.js";
import { both, explicit, family, number } from "./values.js";

/** -p without one of its values. */
const PORT_RANGE = ["5000", "65535"] as const;
/** TCP_CA_NAME_MAX, less the NUL. */
const CONGESTION_LENGTH = 15;

function selected(style: TableStyle): OptionTable[string] {
  return optional((settings, value) => {
    settings.style = style;
    settings.selection = value;
  });
}

function sized(pick: (settings: Settings) => SideSettings): OptionTable[string] {
  return paired(
    both,
    (settings, text) => (pick(settings).sndbufBytes = number(text)),
    (settings, text) => (pick(settings).rcvbufBytes = number(text)),
  );
}

function leftOut(why: string, make: typeof flag | typeof valued = flag): OptionTable[string] {
  return make(({ notes }: Settings) => void notes.push(`netperf: ${why}`));
}

/** A mask would have the address vary; this one stays. */
function withoutMask(host: string): string {
  return host.split("/")[0] ?? host;
}

const ignored = flag(() => undefined);

/** What does not change which test it is. */
const OPTIONS: OptionTable = {
  a: flag((settings) => (settings.deferAccept = true)),
  // Asynchronous I/O, and write() for send(): neither was ever more than a try.
  A: ignored,
  I: ignored,
  b: valued((settings, value) => (settings.burst = Math.max(0, number(value)))),
  B: flag((settings) => (settings.packetInfo = true)),
  C: flag((settings) => (settings.cork = true)),
  D: flag((settings) => (settings.noDelay = true)),
  e: valued((settings, value) => (settings.receiveTimeoutSeconds = Math.max(0, number(value)))),
  f: flag((settings) => (settings.pathMtu = true)),
  F: leftOut("TCP fast open (-F) is left out"),
  g: flag((settings) => (settings.socketDebug = true)),
  G: valued((settings, value) => (settings.mssBytes = Math.max(0, number(value)))),
  h: flag(() => {
    throw new NetperfExit(1, { out: testUsage() });
  }),
  H: paired(
    explicit,
    (settings, host) => (settings.dataHost = withoutMask(host)),
    (settings, text) => (settings.dataFamily = family(text)),
  ),
  i: leftOut("-i is no option any more", valued),
  j: valued(() => undefined),
  k: selected("keyval"),
  o: selected("csv"),
  O: selected("human"),
  K: paired(
    explicit,
    ({ local }, name) => (local.congestion = name.slice(0, CONGESTION_LENGTH)),
    ({ remote }, name) => (remote.congestion = name.slice(0, CONGESTION_LENGTH)),
  ),
  l: valued((settings, value) => (settings.multicastTtl = number(value))),
  L: paired(
    explicit,
    (settings, host) => (settings.dataSource = withoutMask(host)),
    (settings, text) => (settings.dataFamily = family(text)),
  ),
  n: flag((settings) => (settings.connectLocal = true)),
  N: flag((settings) => (settings.connectRemote = true)),
  p: valued((settings, value) => {
    const [min = PORT_RANGE[0], max = PORT_RANGE[1]] = both(value);
    settings.portRange = [portOf("-p", min), portOf("-p", max)];
    if (settings.portRange[0] > settings.portRange[1]) throw badValue("-p", value, "first,last");
  }),
  P: paired(
    both,
    ({ local }, text) => (local.dataPort = portOf("-P", text)),
    ({ remote }, text) => (remote.dataPort = portOf("-P", text)),
  ),
  q: valued((settings, value) => (settings.maxPacingRate = Math.max(0, number(value)))),
  R: valued((settings, value) => (settings.routing = number(value) !== 0)),
  s: sized(({ local }) => local),
  S: sized(({ remote }) => remote),
  u: valued((settings, value) => (settings.uuid = value)),
  // Failed connects of connection tests are counted, and the test goes on: what -U asks for.
  U: ignored,
  V: flag((settings) => (settings.copyAvoidance = true)),
  w: valued(() => undefined),
  W: valued((settings, value) => (settings.local.sendWidth = number(value))),
  z: ignored,
  4: flag((settings) => (settings.dataFamily = "ipv4")),
  6: flag((settings) => (settings.dataFamily = "ipv6")),
};

/** The rest: it may, in the family OMNI. */
function choices(omni: OmniChoice): OptionTable {
  return {
    c: flag(() => (omni.connection = true)),
    d: valued((_settings, value) => (omni.direction = directionOf(value))),
    m: paired(
      explicit,
      (settings, text) => {
        settings.local.sendBytes = number(text);
        omni.send = true;
      },
      (settings, text) => {
        settings.remote.sendBytes = number(text);
        omni.receive = true;
      },
    ),
    M: paired(
      explicit,
      (settings, text) => {
        settings.remote.recvBytes = number(text);
        omni.send = true;
      },
      (settings, text) => {
        settings.local.recvBytes = number(text);
        omni.receive = true;
      },
    ),
    r: valued((settings, value) => {
      const [request, response] = both(value);
      if (request !== undefined) settings.requestBytes = number(request);
      if (response !== undefined) settings.responseBytes = number(response);
      omni.requests = true;
    }),
    t: valued((_settings, value) => {
      const datagram = /^(dgram|datagram)$/i.test(value);
      omni.protocol ??= datagram ? "udp" : value.toLowerCase() === "stream" ? "tcp" : value;
    }),
    T: valued((_settings, value) => (omni.protocol = value)),
  };
}

function fits(_option: string, word: string): boolean {
  return !word.startsWith("-");
}

function badValue(option: string, text: string, expected: string): NetperfExit {
  return new NetperfExit(1, { err: `netperf: -- ${option} ${text}: expected ${expected}\n` });
}

function portOf(option: string, text: string): number {
  const value = number(text);
  if (value >= 0 && value <= 65_535) return value;
  throw badValue(option, text, "a port from 0 to 65535");
}

/** Throws NetperfExit for -h and for what would be another test than the one asked for. */
export function applyTestOptions(settings: Settings, args: readonly string[]): void {
  const omni: OmniChoice = {
    ...{ direction: undefined, connection: false, requests: false, send: false, receive: false, protocol: undefined },
  };
  const table = { ...OPTIONS, ...choices(omni) };
  const { found, complaints } = getopt("netperf", args, specOf(table), fits);
  for (const { option, value } of found) table[option]?.apply(settings, value);
  // Unknown ones are no reason to stop; the original, too, goes on.
  settings.notes.push(...complaints);
  applyOmni(settings, omni);
  if (hasTransactions(settings.kind) && settings.kind !== "cc") {
    if (settings.requestBytes < 1) throw badValue("-r", String(settings.requestBytes), "sizes of at least 1");
    if (settings.responseBytes < 1) throw badValue("-r", String(settings.responseBytes), "sizes of at least 1");
  }
  // A service that echoes answers with what it was sent.
  if (!settings.control && settings.kind === "rr") settings.responseBytes = settings.requestBytes;
}
