/** netperf's command line. */
import { usage } from "../output/usage.js";
import { NetperfExit } from "./exit.js";
import { getopt } from "./getopt.js";
import { type OptionTable, flag, optional, paired, sided, specOf, valued } from "./option-table.js";
import { type Settings, emptySide } from "./settings.js";
import { applyTestOptions } from "./test-options.js";
import { testOf } from "./tests.js";
import { type Family, both, explicit, family, microseconds, number, testLength, tos } from "./values.js";

const DEFAULT_PORT = 12_865;
const MIN_ITERATIONS = 3;
const MAX_ITERATIONS = 30;
/** What netperf has room for, with the NUL. */
const FILL_FILE_BYTES = 32;
const PASSPHRASE_BYTES = 647;

function setFamily(settings: Settings, af: Family): void {
  settings.controlFamily = settings.dataFamily = af;
}

function aligned(side: "local" | "remote"): OptionTable[string] {
  // Alignment 0 crashes netserver.
  return paired(
    both,
    (settings, text) => (settings[side].sendAlign = Math.max(1, number(text))),
    (settings, text) => (settings[side].recvAlign = Math.max(1, number(text))),
  );
}

function offset(side: "local" | "remote"): OptionTable[string] {
  return paired(
    both,
    (settings, text) => (settings[side].sendOffset = number(text)),
    (settings, text) => (settings[side].recvOffset = number(text)),
  );
}

const noDirty = valued(({ notes }) => void notes.push("netperf: -k and -K: buffers are not dirtied"));

const OPTIONS: OptionTable = {
  a: aligned("local"),
  A: aligned("remote"),
  b: sided(explicit, (side, text) => (side.intervalBurst = Math.max(0, number(text)))),
  B: valued((settings, value) => (settings.brand = value)),
  c: optional((settings) => (settings.measureLocalCpu = true)),
  C: optional((settings) => (settings.measureRemoteCpu = true)),
  d: flag((settings) => settings.debug++),
  D: paired(
    explicit,
    (settings, text) => (settings.interimSeconds = Math.abs(Number.parseFloat(text)) || 1),
    // Units of work between looks at the clock: a timer does it here.
    () => undefined,
  ),
  f: valued((settings, value) => (settings.unit = value.slice(0, 1))),
  F: paired(
    explicit,
    (settings, path) => (settings.local.fillFile = path),
    (settings, path) => {
      if (path.length >= FILL_FILE_BYTES) {
        throw new NetperfExit(255, { err: "Remote fill file name must be less than 32 characters\n" });
      }
      settings.remote.fillFile = path;
    },
  ),
  h: flag(() => {
    throw new NetperfExit(1, { err: usage() });
  }),
  H: paired(
    explicit,
    (settings, host) => (settings.host = host),
    (settings, text) => {
      setFamily(settings, family(text));
    },
  ),
  i: valued(({ confidence }, value) => {
    const [max, min] = both(value);
    confidence.asked = true;
    if (max !== undefined) confidence.max = clampIterations(number(max));
    if (min !== undefined) confidence.min = clampIterations(number(min));
  }),
  I: valued(({ confidence }, value) => {
    applyConfidence(confidence, value);
  }),
  j: flag((settings) => (settings.statistics = true)),
  k: noDirty,
  K: noDirty,
  l: valued((settings, value) => (settings.length = testLength(value))),
  L: paired(
    explicit,
    (settings, host) => (settings.bindHost = host),
    (settings, text) => {
      setFamily(settings, family(text));
    },
  ),
  // Linux tells how many CPUs there are.
  n: valued(() => undefined),
  N: flag((settings) => (settings.control = false)),
  o: offset("local"),
  O: offset("remote"),
  p: paired(
    explicit,
    (settings, text) => (settings.port = port("-p", text)),
    (settings, text) => (settings.bindPort = port("-p", text)),
  ),
  P: valued((settings, value) => (settings.headers = number(value) !== 0)),
  r: flag(({ confidence }) => (confidence.resultOnly = true)),
  s: valued((settings, value) => (settings.sleepSeconds = Math.max(0, number(value)))),
  S: flag((settings) => (settings.keepAlive = true)),
  t: valued((settings, value) => (settings.test = value.toUpperCase())),
  T: sided(both, (side, text) => (side.cpu = number(text))),
  v: valued((settings, value) => (settings.verbosity = number(value))),
  V: flag(() => {
    throw new NetperfExit(0, { out: "Netperf version 2.7.1\n" });
  }),
  w: sided(explicit, (side, text) => (side.intervalUsecs = Math.max(0, microseconds(text)))),
  W: paired(
    both,
    ({ local, remote }, text) => (local.sendWidth = remote.sendWidth = number(text)),
    ({ local, remote }, text) => (local.recvWidth = remote.recvWidth = number(text)),
  ),
  y: sided(both, (side, text) => (side.prio = number(text))),
  Y: sided(both, (side, text) => {
    const code = tos(text);
    if (code === undefined) throw new NetperfExit(255, { err: `Invalid IP_TOS value ${text}\n` });
    side.tos = code;
  }),
  Z: valued((settings, value) => (settings.passphrase = value.slice(0, PASSPHRASE_BYTES))),
  4: flag((settings) => {
    setFamily(settings, "ipv4");
  }),
  6: flag((settings) => {
    setFamily(settings, "ipv6");
  }),
};
const SPEC = specOf(OPTIONS);

/** -c and -C may be followed by a calibration rate, which is a number. */
function fits(_option: string, word: string): boolean {
  return /^\d/.test(word);
}

/** Throws NetperfExit. `args` without the program's name. */
export function parseCommandLine(args: readonly string[]): Settings {
  const split = args.indexOf("--");
  const parsed = getopt("netperf", split < 0 ? args : args.slice(0, split), SPEC, fits);
  if (parsed.complaints.length > 0) {
    throw new NetperfExit(1, { err: `${parsed.complaints[0] ?? ""}\n${usage()}` });
  }
  const settings = defaults(["netperf", ...args].join(" "));
  for (const { option, value } of parsed.found) OPTIONS[option]?.apply(settings, value);
  settings.confidence.max = Math.max(settings.confidence.max, settings.confidence.min);
  for (const side of [settings.local, settings.remote]) {
    if (side.intervalBurst > 0 && side.intervalUsecs === 0) side.intervalUsecs = 1000;
  }
  testOf(settings);
  applyTestOptions(settings, split < 0 ? [] : args.slice(split + 1));
  return settings;
}

function defaults(commandLine: string): Settings {
  return {
    ...{
      test: "TCP_STREAM",
      kind: "send",
      protocol: "tcp",
      wire: "omni",
      small: undefined,
      sendfile: false,
      title: "",
    },
    ...{ control: true, debug: 0, dumpTcpInfo: false },
    ...{ host: "localhost", port: DEFAULT_PORT, controlFamily: "any", bindHost: "", bindPort: 0 },
    ...{ dataHost: "", dataSource: "", dataFamily: "any" },
    ...{ length: { seconds: 10, limit: 0 }, sleepSeconds: 0, headers: true, verbosity: 1, unit: "" },
    ...{ measureLocalCpu: false, measureRemoteCpu: false, interimSeconds: 0, keepAlive: false, statistics: false },
    confidence: { level: 99, widthPct: 5, max: 1, min: 1, resultOnly: false, asked: false },
    ...{ brand: undefined, passphrase: undefined, uuid: undefined, local: emptySide(), remote: emptySide() },
    ...{
      noDelay: false,
      mssBytes: 0,
      burst: 0,
      requestBytes: 1,
      responseBytes: 1,
      routing: undefined,
      portRange: null,
    },
    ...{ copyAvoidance: false, cork: false, deferAccept: false, pathMtu: false, socketDebug: false },
    ...{ maxPacingRate: 0, multicastTtl: -1, connectLocal: false, connectRemote: false, packetInfo: false },
    ...{ receiveTimeoutSeconds: 0, style: "classic", selection: "", commandLine, notes: [] },
  };
}

/** netperf takes any number, and connects to what is left of it in 16 bits. */
function port(option: string, text: string): number {
  const value = number(text);
  if (value >= 0 && value <= 65_535) return value;
  throw new NetperfExit(1, { err: `netperf: ${option} ${text}: expected a port from 0 to 65535\n` });
}

function applyConfidence(confidence: Settings["confidence"], value: string): void {
  const [level, width] = explicit(value);
  if (level !== undefined) confidence.level = number(level);
  if (confidence.level !== 95 && confidence.level !== 99) {
    throw new NetperfExit(255, { out: "Only 95% and 99% confidence level is supported\n" });
  }
  if (width !== undefined) confidence.widthPct = Number.parseFloat(width);
  if (!confidence.asked) [confidence.min, confidence.max] = [MIN_ITERATIONS, 10];
  confidence.asked = true;
}

function clampIterations(count: number): number {
  return Math.min(MAX_ITERATIONS, Math.max(MIN_ITERATIONS, count));
}
