import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameDecoder, PREAMBLE, encodeFrame } from "../../../src/control/codec.js";
import { CnbLoadError } from "../../../src/errors.js";

const CAP = 1024;

/** Cuts bytes at the given places, in whatever order they come. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

function feed(decoder: FrameDecoder, chunks: readonly Buffer[]): unknown[] {
  return chunks.flatMap((chunk) => [...decoder.push(chunk)]);
}

function frame(length: number, body = ""): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return Buffer.concat([header, Buffer.from(body, "latin1")]);
}

describe("frames", () => {
  it("arrive as they were sent, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        fc.boolean(),
        (values, places, preamble) => {
          const stream = Buffer.concat([
            preamble ? PREAMBLE : Buffer.alloc(0),
            ...values.map((value) => encodeFrame(value, 1e6)),
          ]);
          const decoder = new FrameDecoder(1e6, preamble);
          expect(feed(decoder, cut(stream, places))).toEqual(
            values.map((value) => JSON.parse(JSON.stringify(value)) as unknown),
          );
        },
      ),
    );
  });

  it("never do worse than ERR_PROTOCOL, whatever comes", () => {
    const header = fc.nat({ max: 2 * CAP }).map((length) => frame(length));
    const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.oneof(header, noise)), fc.array(fc.nat(), { maxLength: 20 }), (parts, places) => {
        try {
          feed(new FrameDecoder(CAP, false), cut(Buffer.concat(parts), places));
        } catch (error) {
          expect(error).toBeInstanceOf(CnbLoadError);
          expect((error as CnbLoadError).code).toBe("ERR_PROTOCOL");
        }
      }),
    );
  });

  it.each([
    ["another preamble", true, Buffer.from("SSH-2.0-OpenSSH")],
    ["a length above the cap", false, frame(CAP + 1)],
    ["what is not JSON", false, frame(1, "{")],
    ["an empty body", false, frame(0)],
    ["what is not UTF-8", false, frame(3, '"\xff"')],
  ])("refuse %s", (_what, preamble, bytes) => {
    expect(() => feed(new FrameDecoder(CAP, preamble), [bytes])).toThrow(CnbLoadError);
  });

  it("survive a body that is nothing but nesting", () => {
    const depth = 100_000;
    const nested = "[".repeat(depth) + "]".repeat(depth);
    expect(feed(new FrameDecoder(1e6, false), [frame(nested.length, nested)])).toHaveLength(1);
  });

  it("are not sent above the cap", () => {
    expect(() => encodeFrame("x".repeat(CAP), CAP)).toThrow(/exceeds the limit/);
    expect(encodeFrame("x".repeat(CAP - 2), CAP)).toHaveLength(4 + CAP);
  });
});
