/** The same calls with nothing around them: what the kernel leaves to be had, and what is cnb-load's own. */
import type { Contender, Setting } from "../model.js";
import { BARE_LOOP } from "../tools.js";
import { isBulk, numberAfter } from "./parse.js";

const MIB = 1024 * 1024;
/** About what cnb-load's defaults come to. */
const DEFAULTS = ["send=131072", `recv=${MIB / 2}`, `lowat=${MIB / 4}`] as const;
/** The highest that was found by hand: large sends, a receiver that never sleeps and has the kernel discard. */
const BEST = [`send=${MIB}`, `recv=${MIB}`, "trunc=1", "spin=1", "congestion=cubic"] as const;

export function bareLoop(end: "client" | "server", { workload, host, ports, seconds, best }: Setting): string[] {
  const { test, flows } = workload;
  const how = isBulk(workload) ? (best ? BEST : DEFAULTS) : [];
  return [BARE_LOOP, test, end, host, String(ports[0]), String(flows), String(seconds), ...how];
}

export const bare: Contender = {
  name: "bare loop",
  programs: () => [],
  can: ({ test, flows, messageBytes }) => (test === "rr" && messageBytes === 1) || (test === "stream" && flows === 1),
  pinsItself: false,
  servesOnce: true,
  server: (setting) => bareLoop("server", setting),
  client: (setting) => ({ argv: bareLoop("client", setting), copies: 1 }),
  read: (stdout, { workload }) => {
    const units = numberAfter(/^(\d+) /, stdout);
    const perSecond = units / numberAfter(/^\d+ ([\d.]+) /, stdout);
    return { rate: isBulk(workload) ? perSecond * 8 : perSecond, units };
  },
};
