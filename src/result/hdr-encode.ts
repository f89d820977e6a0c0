/**
 * HdrHistogram's "V2 compressed" encoding in base64, as AbstractHistogram.encodeIntoCompressedByteBuffer() of the Java original
 * defines it. Written here because hdr-histogram-js 3.0 writes a normalizing index offset of 1 and an integer for the conversion
 * ratio: HdrHistogram_c honours the offset and then shows every value one bucket too high.
 */
import { deflateSync } from "node:zlib";
import { HIGHEST_TRACKABLE_NS, SIGNIFICANT_DIGITS } from "./hdr-layout.js";
import type { RawHistogram } from "./raw.js";

const V2_COOKIE = 0x1c849303 | 0x10;
const V2_COMPRESSED_COOKIE = 0x1c849304 | 0x10;
const HEADER_BYTES = 40;
/** A count below 2^53, doubled by ZigZag, fills at most 8 groups of 7 bits. */
const MAX_WORD_BYTES = 8;

/** Appends one number in ZigZag LEB128: counts are positive, runs of empty buckets negative. Returns the position after it. */
function putZigZag(buffer: Buffer, position: number, value: number): number {
  // Arithmetic, not bit operations: counts exceed 32 bits.
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest >= 128) {
    position = buffer.writeUInt8((rest % 128) + 128, position);
    rest = Math.floor(rest / 128);
  }
  return buffer.writeUInt8(rest, position);
}

function encodeCounts({ first, counts }: RawHistogram): Buffer {
  const buffer = Buffer.alloc((counts.length + 1) * MAX_WORD_BYTES);
  let position = 0;
  let zeros = first;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? 0;
    if (count === 0) {
      zeros++;
      continue;
    }
    if (zeros > 0) position = putZigZag(buffer, position, -zeros);
    zeros = 0;
    position = putZigZag(buffer, position, count);
  }
  return buffer.subarray(0, position);
}

export function encodeHdr(histogram: RawHistogram): string {
  const payload = encodeCounts(histogram);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(V2_COOKIE, 0);
  header.writeUInt32BE(payload.length, 4);
  header.writeInt32BE(0, 8); // normalizing index offset
  header.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  header.writeBigInt64BE(1n, 16); // lowest discernible value
  header.writeBigInt64BE(BigInt(HIGHEST_TRACKABLE_NS), 24);
  header.writeDoubleBE(1, 32); // integer to double conversion ratio
  const compressed = deflateSync(Buffer.concat([header, payload]));
  const envelope = Buffer.alloc(8);
  envelope.writeUInt32BE(V2_COMPRESSED_COOKIE, 0);
  envelope.writeUInt32BE(compressed.length, 4);
  return Buffer.concat([envelope, compressed]).toString("base64");
}
