/** One end of a stock netperf pair replaced by cnb-load's: what differs from the whole pair is that end alone. */
import type { Contender } from "../model.js";
import { CLI } from "./cnb-load.js";
import { netperf } from "./netperf.js";

/** Less than it takes from exec to the first requests: the client ends as long after its seconds as it began before them. */
const START_MS = 150;

function replaceProgram([, ...args]: readonly string[], command: string): string[] {
  return [...CLI, command, ...args];
}

/** Our client, netperf's server. */
export const cnbNetperf: Contender = {
  ...netperf,
  name: "cnb-netperf",
  programs: () => ["netserver"],
  leadMs: START_MS,
  client: (setting) => {
    const { argv, copies } = netperf.client(setting);
    return { argv: replaceProgram(argv, "netperf"), copies };
  },
};

/** netperf's client, our server. */
export const cnbNetserver: Contender = {
  ...netperf,
  name: "cnb-netserver",
  programs: () => ["netperf"],
  server: (setting) => replaceProgram(netperf.server(setting), "netserver"),
};
