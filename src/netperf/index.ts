export { type AcceptorOptions, NetperfAcceptor } from "./server/acceptor.js";
export type { Output } from "./client/exit.js";
export { type NetperfOptions, netperf } from "./client/netperf.js";
