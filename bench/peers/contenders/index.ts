import type { Contender, Own } from "../model.js";
import { bare } from "./bare-loop.js";
import { cnbLoad } from "./cnb-load.js";
import { cnbNetperf, cnbNetserver } from "./netperf-halves.js";
import { iperf3 } from "./iperf3.js";
import { neper } from "./neper.js";
import { netperf } from "./netperf.js";
import { qperf } from "./qperf.js";
import { sockperf } from "./sockperf.js";

export const PEERS: readonly Contender[] = [netperf, iperf3, neper, sockperf, qperf, bare];

export const OWN: Readonly<Record<Own, Contender>> = {
  "cnb-load": cnbLoad,
  "cnb-netperf": cnbNetperf,
  "cnb-netserver": cnbNetserver,
};
