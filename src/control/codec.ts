import { CnbLoadError } from "../errors.js";

/** What a client sends before its first frame. A server tells other protocols apart by the first four bytes. */
export const PREAMBLE = Buffer.from("CNB-LOAD", "ascii");

/** Largest frame towards the server: a spec with its source addresses and CPU lists. */
export const MAX_FRAME_TO_SERVER = 256 * 1024;
/** Largest frame towards the client: the report of tens of thousands of flows. */
export const MAX_FRAME_TO_CLIENT = 16 * 1024 * 1024;

const HEADER_BYTES = 4;

/** One frame: the length of the body as u32, big endian, and the body, JSON in UTF-8. Throws ERR_PROTOCOL above `maxBytes`. */
export function encodeFrame(message: unknown, maxBytes: number): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  if (body.length > maxBytes) {
    throw new CnbLoadError("ERR_PROTOCOL", `a message of ${body.length} bytes exceeds the limit of ${maxBytes}`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(body)) as unknown;
  } catch (cause) {
    throw new CnbLoadError("ERR_PROTOCOL", "the peer sent a frame that is not JSON in UTF-8", { cause });
  }
}

/** Cuts a byte stream into messages. Holds at most one frame of `maxBytes`; the chunks are joined once per frame. */
export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #preamble: boolean;

  /** `preamble`: the stream starts with {@link PREAMBLE} (the server's side). */
  constructor(maxBytes: number, preamble: boolean) {
    this.#maxBytes = maxBytes;
    this.#preamble = preamble;
  }

  /** Takes a chunk; yields each message that it completes. Throws ERR_PROTOCOL, after which the stream is beyond use. */
  *push(chunk: Buffer): Generator<unknown, void, undefined> {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    if (this.#preamble) {
      if (this.#buffered < PREAMBLE.length) return;
      if (!this.#take(PREAMBLE.length).equals(PREAMBLE)) {
        throw new CnbLoadError("ERR_PROTOCOL", "the peer does not speak cnb-load's protocol");
      }
      this.#preamble = false;
    }
    for (;;) {
      const length = this.#peekLength();
      if (length === undefined) return;
      if (length > this.#maxBytes) {
        throw new CnbLoadError(
          "ERR_PROTOCOL",
          `the peer announced a frame of ${length} bytes; ${this.#maxBytes} allowed`,
        );
      }
      if (this.#buffered < HEADER_BYTES + length) return;
      yield parse(this.#take(HEADER_BYTES + length).subarray(HEADER_BYTES));
    }
  }

  #peekLength(): number | undefined {
    if (this.#buffered < HEADER_BYTES) return undefined;
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= HEADER_BYTES) return first.readUInt32BE(0);
    return this.#join().readUInt32BE(0);
  }

  #join(): Buffer {
    const joined = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(bytes: number): Buffer {
    const joined = this.#join();
    this.#buffered -= bytes;
    this.#chunks = this.#buffered === 0 ? [] : [joined.subarray(bytes)];
    return joined.subarray(0, bytes);
  }
}
