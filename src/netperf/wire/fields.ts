/** Pieces of netperf's control messages: 656 bytes each, a type, a second word, and fields at fixed offsets. Integers are big endian. */

export const MESSAGE_BYTES = 656;

/** One value at a fixed place of a message. */
export interface Field<T> {
  read: (message: Buffer) => T;
  write: (message: Buffer, value: T) => void;
}

export type Layout = Readonly<
  Record<string, { read: (message: Buffer) => unknown; write: (message: Buffer, value: never) => void }>
>;
type ValueOf<F> = F extends { read: (message: Buffer) => infer T } ? T : never;
export type Values<L> = { -readonly [K in keyof L]: ValueOf<L[K]> };
/** Some of them. */
export type Some<L> = { [K in keyof L]?: ValueOf<L[K]> | undefined };

/** Values beyond 32 bits wrap around, as they do in netperf. */
export function i32(at: number): Field<number> {
  return { read: (message) => message.readInt32BE(at), write: (message, value) => message.writeInt32BE(value | 0, at) };
}

export function u32(at: number): Field<number> {
  return {
    read: (message) => message.readUInt32BE(at),
    write: (message, value) => message.writeUInt32BE(value >>> 0, at),
  };
}

/** IEEE 754 single. */
export function f32(at: number): Field<number> {
  return { read: (message) => message.readFloatBE(at), write: (message, value) => message.writeFloatBE(value, at) };
}

/** IEEE 754 double: byte totals of the older results. */
export function f64(at: number): Field<number> {
  return { read: (message) => message.readDoubleBE(at), write: (message, value) => message.writeDoubleBE(value, at) };
}

/** The largest double below 2^64. */
const MAX_U64 = 2 ** 64 - 2048;

/** Two words, high then low; a count beyond 2^53 loses its lowest bits. */
export function u64(at: number): Field<number> {
  return {
    read: (message) => Number(message.readBigUInt64BE(at)),
    write: (message, value) => message.writeBigUInt64BE(BigInt(Math.min(Math.round(value), MAX_U64)), at),
  };
}

/** Bytes as they are, cut or padded with zeros. */
export function raw(at: number, size: number): Field<Buffer> {
  return {
    read: (message) => Buffer.from(message.subarray(at, at + size)),
    write: (message, value) => void value.copy(message, at, 0, size),
  };
}

/** Latin-1 text up to the first NUL; what does not fit in front of one is cut, coming and going. */
export function text(at: number, size: number): Field<string> {
  return {
    read(message) {
      const bytes = message.subarray(at, at + size - 1);
      const end = bytes.indexOf(0);
      return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
    },
    write: (message, value) => void message.write(value, at, size - 1, "latin1"),
  };
}

/** Type (word 0) of a message. In results of stock servers it is in the wrong byte order: go by position there. */
export const messageType = u32(0);
/** Word 1 of a request: the CPU that the server shall bind itself to, -1 = none. */
export const serverCpu = i32(4);
/** Word 1 of an answer: the server's errno or a code of netperf's, 0 = success. */
export const serverError = i32(4);

export function decode<L extends Layout>(layout: L, message: Buffer): Values<L> {
  const values = Object.entries(layout).map(([name, field]) => [name, field.read(message)] as const);
  return Object.fromEntries(values) as Values<L>;
}

/** A whole message; what `values` lacks stays zero. `second` is word 1. */
export function encode<L extends Layout>(layout: L, type: number, second: number, values: Some<L>): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  messageType.write(message, type);
  serverError.write(message, second);
  for (const [name, field] of Object.entries(layout)) {
    const value = values[name];
    if (value !== undefined) field.write(message, value as never);
  }
  return message;
}
