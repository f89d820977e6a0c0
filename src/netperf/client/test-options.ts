/** The tests that there are, and what stands behind `--`. */
import { testUsage } from "../output/usage.js";
import { NetperfExit } from "./exit.js";
import { getopt } from "./getopt.js";
import type { Settings, TestKind } from "./settings.js";
import { both, explicit, family, number } from "./values.js";

const TESTS: Readonly<Record<string, { kind: TestKind; title: string }>> = {
  TCP_STREAM: { kind: "send", title: "MIGRATED TCP STREAM TEST" },
  TCP_MAERTS: { kind: "receive", title: "MIGRATED TCP MAERTS TEST" },
  TCP_RR: { kind: "rr", title: "MIGRATED TCP REQUEST/RESPONSE TEST" },
  TCP_CRR: { kind: "crr", title: "MIGRATED TCP Connect/Request/Response TEST" },
  OMNI: { kind: "send", title: "OMNI Send TEST" },
};
/** netperf knows them, and one day so shall this. */
const LATER = ["UDP_STREAM", "UDP_RR", "TCP_CC", "TCP_SENDFILE", "TCP_MSS", "LOC_CPU", "REM_CPU", "UUID"];

export function testOf(settings: Settings): void {
  const known = TESTS[settings.test];
  if (known !== undefined) {
    Object.assign(settings, known);
    if (settings.test === "OMNI") settings.style = "human";
    return;
  }
  if (LATER.includes(settings.test)) {
    throw new NetperfExit(1, { err: `netperf: the test ${settings.test} is not supported by cnb-load yet\n` });
  }
  // The original says so after connecting; the connection is kept out of it here.
  throw new NetperfExit(1, {
    out:
      `The test you requested (${settings.test}) is unknown to this netperf.\n` +
      "Please verify that you have the correct test name, \n" +
      "and that test family has been compiled into this netperf.\n",
  });
}

const SPEC = "ab:BcCd:De:fFgG:hH:i:Ij:k?K:l:L:m:M:nNo?O?p:P:q:r:R:s:S:t:T:u:UVw:W:46";
/** Without effect on what is measured here, or without a counterpart; the rest of the run is what was asked for. */
const LEFT_OUT = "aBCefFgiIjlnNqUVwW";

function fits(_option: string, word: string): boolean {
  return !word.startsWith("-");
}

/** Throws NetperfExit for -h and for what would be another test than the one asked for. */
export function applyTestOptions(settings: Settings, args: readonly string[]): void {
  const { found, complaints } = getopt("netperf", args, SPEC, fits);
  for (const { option, value } of found) applyOne(settings, option, value);
  // Unknown ones are no reason to stop; the original, too, goes on.
  settings.notes.push(...complaints);
}

function applyOne(settings: Settings, option: string, value: string): void {
  const { local, remote } = settings;
  const [first, second] = explicit(value);
  switch (option) {
    case "b":
      settings.burst = Math.max(0, number(value));
      return;
    case "c":
      if (settings.test === "OMNI") settings.kind = "crr";
      return;
    case "d": {
      applyDirection(settings, value);
      return;
    }
    case "D":
      settings.noDelay = true;
      return;
    case "G":
      settings.mssBytes = Math.max(0, number(value));
      return;
    case "h":
      throw new NetperfExit(1, { out: testUsage() });
    case "H":
      settings.dataHost = withoutMask(first) ?? settings.dataHost;
      if (second !== undefined) settings.dataFamily = family(second);
      return;
    case "L":
      settings.dataSource = withoutMask(first) ?? settings.dataSource;
      if (second !== undefined) settings.dataFamily = family(second);
      return;
    case "k":
    case "o":
    case "O":
      settings.style = option === "k" ? "keyval" : option === "o" ? "csv" : "human";
      settings.selection = value;
      return;
    case "K":
      if (first !== undefined) local.congestion = first.slice(0, 15);
      if (second !== undefined) remote.congestion = second.slice(0, 15);
      return;
    case "m":
      if (first !== undefined) local.sendBytes = number(first);
      if (second !== undefined) remote.sendBytes = number(second);
      return;
    case "M":
      if (first !== undefined) remote.recvBytes = number(first);
      if (second !== undefined) local.recvBytes = number(second);
      return;
    case "p": {
      const [min, max] = both(value);
      settings.portRange = [number(min ?? "5000"), number(max ?? "65535")];
      return;
    }
    case "P": {
      const [near, far] = both(value);
      if (near !== undefined) local.dataPort = number(near);
      if (far !== undefined) remote.dataPort = number(far);
      return;
    }
    case "r": {
      const [request, response] = both(value);
      if (request !== undefined) settings.requestBytes = number(request);
      if (response !== undefined) settings.responseBytes = number(response);
      if (settings.test === "OMNI" && settings.kind !== "crr") settings.kind = "rr";
      return;
    }
    case "R":
      settings.routing = number(value) !== 0;
      return;
    case "s":
    case "S": {
      const side = option === "s" ? local : remote;
      const [send, receive] = both(value);
      if (send !== undefined) side.sndbufBytes = number(send);
      if (receive !== undefined) side.rcvbufBytes = number(receive);
      return;
    }
    case "t":
    case "T": {
      checkProtocol(settings, option, value);
      return;
    }
    case "u":
      settings.uuid = value;
      return;
    case "4":
    case "6":
      settings.dataFamily = option === "4" ? "ipv4" : "ipv6";
      return;
    default:
      if (LEFT_OUT.includes(option)) settings.notes.push(`netperf: the test-specific option -${option} is left out`);
  }
}

/** A mask would have the address vary; this one stays. */
function withoutMask(host: string | undefined): string | undefined {
  return host?.split("/")[0];
}

const SEND = ["send", "xmit", "transmit", "stream"];
const RECEIVE = ["recv", "receive", "maerts"];

/** Bits as the client sees them: 2 transmits, 4 receives. */
function applyDirection(settings: Settings, value: string): void {
  if (settings.test !== "OMNI") return;
  const words = value.toLowerCase().split("|");
  const bits = words.reduce((sum, word) => sum | directionBits(word), 0);
  if (bits === 6) settings.kind = settings.kind === "crr" ? "crr" : "rr";
  else if (bits === 4 || bits === 2) {
    settings.kind = bits === 4 ? "receive" : "send";
    settings.title = bits === 4 ? "OMNI Receive TEST" : "OMNI Send TEST";
    return;
  } else {
    throw new NetperfExit(1, { err: `netperf: the direction ${value} is not supported by cnb-load yet\n` });
  }
  settings.title = "OMNI Send|Recv TEST";
}

function directionBits(word: string): number {
  if (word === "rr") return 6;
  if (SEND.includes(word)) return 2;
  return RECEIVE.includes(word) ? 4 : Number.parseInt(word, 10) || 0;
}

function checkProtocol(settings: Settings, option: string, value: string): void {
  const word = value.toLowerCase();
  if (option === "T" ? word === "tcp" : word === "stream") return;
  throw new NetperfExit(1, {
    err: `netperf: -${option} ${value} for ${settings.test} is not supported by cnb-load yet\n`,
  });
}
