/** netperf's command line. */
import { usage } from "../output/usage.js";
import { NetperfExit } from "./exit.js";
import { type Found, getopt } from "./getopt.js";
import { type Settings, type SideSettings, emptySide } from "./settings.js";
import { applyTestOptions, testOf } from "./test-options.js";
import { both, explicit, family, number, testLength, tos } from "./values.js";

const DEFAULT_PORT = 12_865;
const GLOBAL = "a:A:b:B:c?C?dD:f:F:hH:i:I:jk:K:l:L:n:No:O:p:P:rs:St:T:v:VW:w:y:Y:Z:46";
const MIN_ITERATIONS = 3;
const MAX_ITERATIONS = 30;

/** -c and -C may be followed by a calibration rate, which is a number. */
function fits(_option: string, word: string): boolean {
  return /^\d/.test(word);
}

/** Throws NetperfExit. `args` without the program's name. */
export function parseCommandLine(args: readonly string[]): Settings {
  const split = args.indexOf("--");
  const parsed = getopt("netperf", split < 0 ? args : args.slice(0, split), GLOBAL, fits);
  if (parsed.complaints.length > 0) {
    throw new NetperfExit(1, { err: `${parsed.complaints[0] ?? ""}\n${usage()}` });
  }
  const settings = defaults(["netperf", ...args].join(" "));
  for (const { option, value } of parsed.found) applyGlobal(settings, option, value);
  settings.confidence.max = Math.max(settings.confidence.max, settings.confidence.min);
  testOf(settings);
  applyTestOptions(settings, split < 0 ? [] : args.slice(split + 1));
  return settings;
}

function defaults(commandLine: string): Settings {
  return {
    ...{ test: "TCP_STREAM", kind: "send", title: "" },
    ...{ host: "localhost", port: DEFAULT_PORT, controlFamily: "any", bindHost: "", bindPort: 0 },
    ...{ dataHost: "", dataSource: "", dataFamily: "any" },
    ...{ length: { seconds: 10, limit: 0 }, sleepSeconds: 0, headers: true, verbosity: 1, unit: "" },
    ...{ measureLocalCpu: false, measureRemoteCpu: false, interimSeconds: 0, keepAlive: false, statistics: false },
    confidence: { level: 99, widthPct: 5, max: 1, min: 1, resultOnly: false, asked: false },
    ...{ brand: undefined, passphrase: undefined, uuid: undefined, local: emptySide(), remote: emptySide() },
    ...{ noDelay: false, mssBytes: 0, burst: 0, requestBytes: 1, responseBytes: 1, routing: true, portRange: null },
    ...{ style: "classic", selection: "", commandLine, notes: [] },
  };
}

function pair(text: string, split: typeof both, set: (which: "first" | "second", value: string) => void): void {
  const [first, second] = split(text);
  if (first !== undefined) set("first", first);
  if (second !== undefined) set("second", second);
}

/** Sets one field of both sides, first local, then remote. */
function sides(
  settings: Settings,
  text: string,
  split: typeof both,
  set: (side: SideSettings, value: string) => void,
): void {
  pair(text, split, (which, value) => {
    set(which === "first" ? settings.local : settings.remote, value);
  });
}

function applyGlobal(settings: Settings, option: Found["option"], value: string): void {
  const { local, remote, confidence } = settings;
  switch (option) {
    case "a":
    case "A": {
      const side = option === "a" ? local : remote;
      pair(value, both, (which, text) => {
        // Alignment 0 crashes netserver.
        side[which === "first" ? "sendAlign" : "recvAlign"] = Math.max(1, number(text));
      });
      return;
    }
    case "o":
    case "O": {
      const side = option === "o" ? local : remote;
      pair(value, both, (which, text) => {
        side[which === "first" ? "sendOffset" : "recvOffset"] = number(text);
      });
      return;
    }
    case "W": {
      pair(value, both, (which, text) => {
        for (const side of [local, remote]) side[which === "first" ? "sendWidth" : "recvWidth"] = number(text);
      });
      return;
    }
    case "b": {
      sides(settings, value, explicit, (side, text) => (side.intervalBurst = number(text)));
      return;
    }
    case "w": {
      sides(settings, value, explicit, (side, text) => (side.intervalUsecs = microseconds(text)));
      return;
    }
    case "B":
      settings.brand = value;
      return;
    case "c":
      settings.measureLocalCpu = true;
      return;
    case "C":
      settings.measureRemoteCpu = true;
      return;
    case "D": {
      const [seconds] = explicit(value);
      settings.interimSeconds = Math.abs(Number.parseFloat(seconds ?? "1")) || 1;
      return;
    }
    case "f":
      settings.unit = value.slice(0, 1);
      return;
    case "F": {
      sides(settings, value, explicit, (side, text) => (side.fillFile = text));
      return;
    }
    case "h":
      throw new NetperfExit(1, { err: usage() });
    case "H": {
      pair(value, explicit, (which, text) => {
        if (which === "first") settings.host = text;
        else settings.controlFamily = settings.dataFamily = family(text);
      });
      return;
    }
    case "i": {
      const [max, min] = both(value);
      confidence.asked = true;
      if (max !== undefined) confidence.max = clampIterations(number(max));
      if (min !== undefined) confidence.min = clampIterations(number(min));
      return;
    }
    case "I": {
      applyConfidence(confidence, value);
      return;
    }
    case "j":
      settings.statistics = true;
      return;
    case "l":
      settings.length = testLength(value);
      return;
    case "L": {
      pair(value, explicit, (which, text) => {
        if (which === "first") settings.bindHost = text;
        else settings.controlFamily = settings.dataFamily = family(text);
      });
      return;
    }
    case "N":
      throw new NetperfExit(1, { err: "netperf: -N (no control connection) is not supported by cnb-load yet\n" });
    case "p": {
      pair(value, explicit, (which, text) => {
        if (which === "first") settings.port = number(text);
        else settings.bindPort = number(text);
      });
      return;
    }
    case "P":
      settings.headers = number(value) !== 0;
      return;
    case "r":
      confidence.resultOnly = true;
      return;
    case "s":
      settings.sleepSeconds = Math.max(0, number(value));
      return;
    case "S":
      settings.keepAlive = true;
      return;
    case "t":
      settings.test = value.toUpperCase();
      return;
    case "T": {
      sides(settings, value, both, (side, text) => (side.cpu = number(text)));
      return;
    }
    case "v":
      settings.verbosity = number(value);
      return;
    case "V":
      throw new NetperfExit(0, { out: "Netperf version 2.7.1\n" });
    case "y": {
      sides(settings, value, both, (side, text) => (side.prio = number(text)));
      return;
    }
    case "Y": {
      sides(settings, value, both, (side, text) => {
        const code = tos(text);
        if (code === undefined) throw new NetperfExit(255, { err: `Invalid IP_TOS value ${text}\n` });
        side.tos = code;
      });
      return;
    }
    case "Z":
      settings.passphrase = value;
      return;
    case "4":
    case "6":
      settings.controlFamily = settings.dataFamily = option === "4" ? "ipv4" : "ipv6";
      return;
    default:
      // -d, -k, -K and -n change nothing that is printed here.
      return;
  }
}

function applyConfidence(confidence: Settings["confidence"], value: string): void {
  const [level, width] = both(value.includes(",") ? value : `${value},`);
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

/** -w: an integer of milliseconds, or with a suffix m, u or s. */
function microseconds(text: string): number {
  const value = Number.parseInt(text, 10) || 0;
  if (text.endsWith("u")) return value;
  return value * (text.endsWith("s") ? 1_000_000 : 1000);
}
