export { type AcceptorOptions, NetperfAcceptor } from "./server/acceptor.js";
export type { Output } from "./client/exit.js";
export { type NetperfOptions, netperf } from "./client/netperf.js";
export { NetperfExit } from "./client/exit.js";
export { type NetserverSettings, failedLine, listenAddress, parseNetserver, startedLine } from "./server/options.js";
