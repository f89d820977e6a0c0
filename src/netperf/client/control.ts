/** The client's end of the control connection. */
import { lookup } from "node:dns/promises";
import { type Socket, connect } from "node:net";
import { ControlStream } from "../wire/control-stream.js";
import { encode, serverError } from "../wire/fields.js";
import { TYPE, passphrase } from "../wire/omni.js";
import { NetperfExit } from "./exit.js";
import type { Settings } from "./settings.js";
import type { Family } from "./values.js";

const CONNECT_MS = 30_000;
const MESSAGE_MS = 30_000;
const LINGER_MS = 1000;
/** netperf's own patience for an answer. */
export const ANSWER_MS = 120_000;

const NUMBERS: Readonly<Record<Family, 0 | 4 | 6>> = { any: 0, ipv4: 4, ipv6: 6 };
const NAMES: Readonly<Record<0 | 4 | 6, string>> = { 0: "AF_UNSPEC", 4: "AF_INET", 6: "AF_INET6" };

/** A numeric address of a host. Throws NetperfExit. */
export async function resolveHost(host: string, family: Family): Promise<{ address: string; family: 4 | 6 }> {
  const asked = NUMBERS[family];
  const found = await lookup(host, { family: asked }).catch(() => undefined);
  // A numeric address is taken whatever family was asked for.
  if (found !== undefined && (asked === 0 || found.family === asked)) {
    return { address: found.address, family: found.family === 6 ? 6 : 4 };
  }
  throw new NetperfExit(255, {
    out:
      `resolve_host: could not resolve host '${host}' port '(null)' af ${NAMES[asked]}\n` +
      "\tgetaddrinfo returned -2 Name or service not known\n" +
      `Netperf could not resolve ${host} as a host name\n`,
  });
}

export class Control {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #stream: ControlStream;
  readonly #trace: ((text: string) => void) | undefined;

  private constructor(socket: Socket, trace: ((text: string) => void) | undefined) {
    this.#trace = trace;
    this.remoteAddress = socket.remoteAddress ?? "";
    this.localAddress = socket.localAddress ?? "";
    this.#stream = new ControlStream(socket, { messageMs: MESSAGE_MS });
  }

  /** Throws NetperfExit. `trace` is told of every message. */
  static async open(settings: Settings, trace?: (text: string) => void): Promise<Control> {
    const { host, port, controlFamily, bindHost, bindPort } = settings;
    const target = await resolveHost(host, controlFamily);
    const source = bindHost === "" ? undefined : await resolveHost(bindHost, controlFamily);
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect({
        ...{ host: target.address, port, family: target.family },
        ...(source !== undefined && { localAddress: source.address }),
        ...(bindPort !== 0 && { localPort: bindPort }),
      });
      const timer = setTimeout(() => attempt.destroy(), CONNECT_MS);
      attempt.once("connect", () => resolve(attempt));
      // After an error, too; once connected the promise no longer listens.
      attempt.once("close", () => resolve(undefined)).on("error", () => undefined);
      attempt.once("connect", () => {
        clearTimeout(timer);
      });
      attempt.once("close", () => {
        clearTimeout(timer);
      });
    });
    if (socket === undefined) {
      const from = `${source?.address ?? (target.family === 6 ? "::0" : "0.0.0.0")} port ${bindPort}`;
      const asked = NAMES[NUMBERS[controlFamily]];
      throw new NetperfExit(255, {
        out:
          `establish control: are you sure there is a netserver listening on ${host} at port ${port}?\n` +
          `establish_control could not establish the control connection from ${from} address family ${asked}` +
          ` to ${host} port ${port} address family ${NAMES[target.family]}\n`,
      });
    }
    const control = new Control(socket, trace);
    if (settings.passphrase !== undefined) {
      control.#stream.send(encode(passphrase, TYPE.passphrase, -1, { text: settings.passphrase }));
    }
    return control;
  }

  /** Aborted when the server has gone. */
  get gone(): AbortSignal {
    return this.#stream.gone;
  }

  send(message: Buffer): void {
    this.#trace?.(`netperf: sends message ${describe(message)}\n`);
    this.#stream.send(message);
  }

  /** The next answer, which reports no error. Throws NetperfExit. */
  async answer(timeoutMs: number = ANSWER_MS): Promise<Buffer> {
    const message = await this.#stream.next(timeoutMs);
    if (message === null) {
      if (!this.#stream.gone.aborted) {
        throw new NetperfExit(1, { out: "recv_response_timed_n: no response received. errno 110 counter 0\n" });
      }
      throw new NetperfExit(1, {
        err: `recv_response: partial response received: ${this.#stream.partialBytes} bytes\n`,
      });
    }
    this.#trace?.(`netperf: received message ${describe(message)}\n`);
    const error = serverError.read(message);
    if (error !== 0)
      throw new NetperfExit(255, { out: `netperf: remote error ${error}\n`, err: `${errorText(error)}\n` });
    return message;
  }

  close(): void {
    if (this.#stream.gone.aborted) this.#stream.destroy();
    else this.#stream.end(LINGER_MS);
  }
}

/** Type, second word, and the words that follow as far as there is something in them. */
function describe(message: Buffer): string {
  const words = Array.from({ length: message.length / 4 }, (_, index) => message.readInt32BE(index * 4));
  const [type = 0, second = 0, ...rest] = words;
  const used = rest.slice(0, rest.findLastIndex((word) => word !== 0) + 1);
  return `${type}, ${second}: ${used.join(" ")}`;
}

/** What a person can do with the number. */
function errorText(error: number): string {
  if (error === 998) return "the server does not support this test";
  const names: Readonly<Record<number, string>> = {
    1: "the test is longer than the server allows",
    2: "the server does not have that congestion control",
    12: "the server does not grant buffers of that size",
    13: "the server does not let this client in",
    16: "the server is busy",
    22: "the server takes the request for invalid",
    98: "the data port is in use",
    110: "the data connection did not come in time",
  };
  return names[error] ?? `the server's error ${error}`;
}
