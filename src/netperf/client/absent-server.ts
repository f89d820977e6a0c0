import { NetperfExit } from "./exit.js";
import { type Server, type ServerReady, type ServerResults, UNTOLD } from "./server.js";
import { type Settings } from "./settings.js";

/** Services of RFC 862 to 864 that do what netserver would. */
const SERVICES = { send: 9, receive: 19, rr: 7, crr: 7, cc: 7 } as const;
const UNKNOWN = { sndbufBytes: 0, rcvbufBytes: 0 };

/** With -N: there is some service on the data port, and nobody to ask. */
export class AbsentServer implements Server {
  readonly gone: AbortSignal = new AbortController().signal;
  readonly #settings: Settings;

  /** Throws NetperfExit where no service does what the test needs. */
  constructor(settings: Settings) {
    const { test, wire, remote } = settings;
    if (remote.dataPort === 0 && wire !== "omni") {
      throw new NetperfExit(255, { out: `No default port known for the ${test} test, please set one yourself\n` });
    }
    this.#settings = settings;
  }

  ready(dataPort: number): Promise<ServerReady> {
    const port = dataPort === 0 ? SERVICES[this.#settings.kind] : dataPort;
    return Promise.resolve({ ...UNTOLD, initial: UNKNOWN, dataPort: port });
  }

  /** All that was sent is taken to have arrived. */
  results(_timeoutMs: number, local: { bytesSent: number; bytesReceived: number }): Promise<ServerResults> {
    return Promise.resolve({
      final: { sndbufBytes: -1, rcvbufBytes: -1 },
      ...{ bytesSent: local.bytesReceived, bytesReceived: local.bytesSent, sendCalls: 0, recvCalls: 0 },
      ...{ retransmits: -1, congestion: "", cpu: undefined },
    });
  }
}
