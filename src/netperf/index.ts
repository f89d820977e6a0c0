export { type AcceptorOptions, NetperfAcceptor } from "./server/acceptor.js";
