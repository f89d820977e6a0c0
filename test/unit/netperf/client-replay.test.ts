/** Every recorded command line of a stock client, run again by ours against what the stock server answered. */
import { describe, expect, it } from "vitest";
import { type Layout, decode, messageType, serverCpu } from "../../../src/netperf/wire/fields.js";
import { LEGACY_LAYOUTS } from "./legacy-layouts.js";
import { TYPE, omniRequest, passphrase } from "../../../src/netperf/wire/omni.js";
import { type Capture, captures } from "./captures.js";
import { runAgainst } from "./recorded-server.js";

/** What the stock client could not do: fast open, which ours leaves out. */
const FAILED = ["omni_fastopen"];
/** The server sends datagrams: not here. */
const UNSERVED = ["omni_udp_maerts"];

const recorded = captures().flatMap((capture) => {
  const { name, command } = capture;
  if (command === undefined || FAILED.includes(name) || UNSERVED.includes(name)) return [];
  return [[name, capture, command] as const];
});

/** The arguments without the server's place, which comes first. */
function optionsOf([host, , port, , ...options]: readonly string[]): string[] {
  expect([host, port]).toEqual(["-H", "-p"]);
  return options;
}

function layoutOf(message: Buffer): Layout {
  const type = messageType.read(message);
  const known: Record<number, Layout> = { [TYPE.omniRequest]: omniRequest, [TYPE.passphrase]: passphrase };
  return known[type] ?? LEGACY_LAYOUTS.get(type)?.[0] ?? {};
}

/** Wishes for facts about the interface, which netserver no longer grants. */
const OBSOLETE = 0x3c0;

/** What a request asks for. The client's own port, already bound by a stock one and at random, is of no use to the server. */
function meaning(message: Buffer): unknown {
  const { localPort: _port, ...asked } = decode(layoutOf(message), message) as Record<string, unknown>;
  const flags = asked["flags"];
  if (typeof flags === "number") asked["flags"] = (flags & ~OBSOLETE) >>> 0;
  // The rate is repeated from the answer before; no server on Linux has a use for it.
  const { cpuRate: _rate, ...rest } = asked;
  return { type: messageType.read(message), cpu: serverCpu.read(message), ...rest };
}

/** Numbers as N, blanks as one, what identifies a run or a host as nothing. */
function form(text: string): string {
  return (
    text
      .replace(/^(UUID|COMMAND_LINE|LOCAL_CONG_CONTROL)=.*$/gm, "$1=")
      // Where netperf reads a float that nobody wrote.
      .replaceAll("-nan", "0")
      .replace(/\b0x[\da-f]+/g, "N")
      .replace(/ *-?\d[\d.]*(?![\w^])/g, " N")
      .replace(/ +/g, " ")
  );
}

describe("a recorded stock client's command line", () => {
  it.concurrent.each(recorded)("%s", async (_name, capture: Capture, { args, code }) => {
    const ran = await runAgainst(capture, optionsOf(args));
    expect(ran.messages.map(meaning)).toEqual(capture.fromClient.map(meaning));
    expect(form(ran.out)).toBe(form(capture.stdout));
    expect(ran.code).toBe(code);
  });
});
