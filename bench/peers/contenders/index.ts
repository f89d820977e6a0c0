import type { Contender } from "../model.js";
import { cnbLoad } from "./cnb-load.js";
import { iperf3 } from "./iperf3.js";
import { neper } from "./neper.js";
import { netperf } from "./netperf.js";
import { qperf } from "./qperf.js";
import { sockperf } from "./sockperf.js";

export const PEERS: readonly Contender[] = [netperf, iperf3, neper, sockperf, qperf];

export { cnbLoad };
