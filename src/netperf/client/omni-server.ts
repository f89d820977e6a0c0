import { decode } from "../wire/fields.js";
import { omniResponse, omniResults } from "../wire/omni.js";
import type { Control } from "./control.js";
import { type DataEnds, omniRequestFor } from "./request.js";
import type { Server, ServerReady, ServerResults } from "./server.js";
import type { Settings } from "./settings.js";

/** A server that is asked by OMNI messages. */
export class OmniServer implements Server {
  readonly #settings: Settings;
  readonly #ends: DataEnds;
  readonly #control: Control;

  constructor(settings: Settings, ends: DataEnds, control: Control) {
    this.#settings = settings;
    this.#ends = ends;
    this.#control = control;
  }

  get gone(): AbortSignal {
    return this.#control.gone;
  }

  async ready(dataPort: number): Promise<ServerReady> {
    this.#control.send(omniRequestFor(this.#settings, this.#ends, dataPort));
    const response = decode(omniResponse, await this.#control.answer());
    const { recvSize, sendSize, recvWidth, sendWidth, socketTos, socketPrio } = response;
    return {
      dataPort: response.dataPort,
      initial: { sndbufBytes: response.sendBufSize, rcvbufBytes: response.recvBufSize },
      ...{ sendBytes: sendSize, recvBytes: recvSize, sendWidth, recvWidth, tos: socketTos },
      prio: this.#settings.remote.prio < 0 ? -1 : socketPrio,
    };
  }

  async results(timeoutMs: number): Promise<ServerResults> {
    const results = decode(omniResults, await this.#control.answer(timeoutMs));
    const { bytesSent, bytesReceived, sendCalls, recvCalls, retransmits, congestion } = results;
    return {
      final: { sndbufBytes: results.sendBufSize, rcvbufBytes: results.recvBufSize },
      ...{ bytesSent, bytesReceived, sendCalls, recvCalls, retransmits, congestion },
      // A server that does not measure leaves other things where the figures would be.
      cpu: this.#settings.measureRemoteCpu && results.cpuMethod !== 0 ? results : undefined,
    };
  }
}
