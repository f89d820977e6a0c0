import type { CpuFigures } from "../cpu-figures.js";
import { decode, encode } from "../wire/fields.js";
import {
  LEGACY,
  rrRequest,
  rrResponse,
  rrResults,
  streamRequest,
  streamResponse,
  streamResults,
} from "../wire/legacy.js";
import type { Control } from "./control.js";
import { type DataEnds, familyOf } from "./request.js";
import { type Server, type ServerReady, type ServerResults, UNTOLD } from "./server.js";
import type { Settings } from "./settings.js";

/** What neither of the older messages tells at the end. */
const UNTOLD_RESULTS = { sendCalls: 0, recvCalls: 0, bytesSent: 0, bytesReceived: 0, retransmits: -1, congestion: "" };

abstract class LegacyServer implements Server {
  protected readonly settings: Settings;
  protected readonly ends: DataEnds;
  protected readonly control: Control;
  protected initial = { sndbufBytes: 0, rcvbufBytes: 0 };

  constructor(settings: Settings, ends: DataEnds, control: Control) {
    this.settings = settings;
    this.ends = ends;
    this.control = control;
  }

  get gone(): AbortSignal {
    return this.control.gone;
  }

  abstract ready(dataPort: number): Promise<ServerReady>;
  abstract results(timeoutMs: number): Promise<ServerResults>;

  protected get common(): { noDelay: number; measureCpu: number; family: number } {
    const { noDelay, measureRemoteCpu } = this.settings;
    return { noDelay: Number(noDelay), measureCpu: Number(measureRemoteCpu), family: familyOf(this.ends) };
  }

  /** The older results hold the sum only. */
  protected cpuOf({
    cpuUtil,
    cpuMethod,
    cpus,
  }: Pick<CpuFigures, "cpuUtil" | "cpuMethod" | "cpus">): CpuFigures | undefined {
    if (!this.settings.measureRemoteCpu) return undefined;
    const split = { cpuUser: 0, cpuSystem: 0, cpuIowait: 0, cpuIrq: 0, cpuSoftirq: 0, peakCpu: -1, peakCpuUtil: -1 };
    return { ...split, cpuUtil, cpuMethod, cpus };
  }
}

/** Message 10: a receiver. */
export class StreamServer extends LegacyServer {
  async ready(dataPort: number): Promise<ServerReady> {
    const { remote, length } = this.settings;
    this.control.send(
      encode(streamRequest, LEGACY.tcpStream, remote.cpu, {
        ...this.common,
        sendBufSize: remote.sndbufBytes,
        recvBufSize: remote.rcvbufBytes,
        size: Math.max(0, remote.recvBytes),
        alignment: remote.recvAlign,
        offset: remote.recvOffset,
        // netserver knows no count here: netperf sends the number of bytes, and that is a very long time.
        testLength: length.limit > 0 ? length.limit : Math.ceil(length.seconds),
        dataPort,
      }),
    );
    const response = decode(streamResponse, await this.control.answer());
    this.initial = { sndbufBytes: response.sendBufSize, rcvbufBytes: response.recvBufSize };
    return { ...UNTOLD, initial: this.initial, recvBytes: response.size, dataPort: response.dataPort };
  }

  async results(timeoutMs: number): Promise<ServerResults> {
    const results = decode(streamResults, await this.control.answer(timeoutMs));
    const told = { bytesReceived: results.bytes, recvCalls: results.calls };
    return { ...UNTOLD_RESULTS, ...told, final: this.initial, cpu: this.cpuOf(results) };
  }
}

/** Message 300: connections, one after another. */
export class ConnectionServer extends LegacyServer {
  async ready(dataPort: number): Promise<ServerReady> {
    const { remote, length } = this.settings;
    this.control.send(
      encode(rrRequest, LEGACY.tcpCc, remote.cpu, {
        ...this.common,
        recvBufSize: remote.rcvbufBytes,
        sendBufSize: remote.sndbufBytes,
        recvAlignment: remote.recvAlign,
        recvOffset: remote.recvOffset,
        sendAlignment: remote.sendAlign,
        sendOffset: remote.sendOffset,
        ...{ requestSize: 1, responseSize: 1, dataPort },
        testLength: length.limit > 0 ? -length.limit : Math.ceil(length.seconds),
      }),
    );
    const response = decode(rrResponse, await this.control.answer());
    this.initial = { sndbufBytes: response.sendBufSize, rcvbufBytes: response.recvBufSize };
    return { ...UNTOLD, initial: this.initial, dataPort: response.dataPort };
  }

  async results(timeoutMs: number): Promise<ServerResults> {
    const results = decode(rrResults, await this.control.answer(timeoutMs));
    return { ...UNTOLD_RESULTS, final: this.initial, cpu: this.cpuOf(results) };
  }
}
