import { inflateSync } from "node:zlib";
import fc from "fast-check";
import hdr from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import { encodeHdr } from "../../../src/result/hdr-encode.js";
import {
  bucketHigh,
  bucketLow,
  bucketWidth,
  HIGHEST_TRACKABLE_NS,
  INDEX_COUNT,
} from "../../../src/result/hdr-layout.js";
import { percentiles, totalCount } from "../../../src/result/latency.js";
import { histogram, indexOf } from "./fixtures.js";
import { tries } from "../../support/tries.js";

/** Internals of hdr-histogram-js that its public type leaves out. */
interface Internals extends hdr.Histogram {
  countsArrayLength: number;
  countsArrayIndex(value: number): number;
  valueFromIndex(index: number): number;
  getCountAtIndex(index: number): number;
  highestEquivalentValue(value: number): number;
}

const build = (): Internals =>
  hdr.build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_TRACKABLE_NS,
    numberOfSignificantValueDigits: 3,
  }) as Internals;
const decode = (text: string): Internals => hdr.decodeFromCompressedBase64(text, 64) as Internals;

function recorded(values: readonly number[]): Internals {
  const library = build();
  for (const value of values) library.recordValue(value);
  return library;
}

const nanoseconds = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 2_000_000_000 }),
  fc.maxSafeInteger().map((value) => Math.abs(value) % (HIGHEST_TRACKABLE_NS + 1)),
);
const samples = fc.array(nanoseconds, { minLength: 1, maxLength: 200 });

describe("the index layout", () => {
  it("is HdrHistogram's, index by index", () => {
    const library = build();
    expect(library.countsArrayLength).toBe(INDEX_COUNT);
    for (let index = 0; index < INDEX_COUNT; index++) {
      const low = bucketLow(index);
      if (low !== library.valueFromIndex(index)) expect.fail(`low of ${index}: ${low}`);
      if (bucketHigh(index) !== library.highestEquivalentValue(low)) expect.fail(`high of ${index}`);
    }
  });

  it("has buckets that touch and stay within 0.1 % of their value", () => {
    for (let index = 1; index < INDEX_COUNT; index++) {
      if (bucketLow(index) !== bucketHigh(index - 1) + 1) expect.fail(`gap before ${index}`);
      if (index >= 2048 && bucketWidth(index) / bucketLow(index) > 0.001) expect.fail(`width of ${index}`);
    }
  });

  it("puts every value where the library does", () => {
    fc.assert(fc.property(nanoseconds, (value) => indexOf(value) === build().countsArrayIndex(value)));
  });
});

describe("encodeHdr", () => {
  it("is decoded by hdr-histogram-js to the same counts", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const decoded = decode(encodeHdr(histogram(values)));
        const library = recorded(values);
        expect(decoded.totalCount).toBe(values.length);
        for (const value of values) {
          const index = indexOf(value);
          expect(decoded.getCountAtIndex(index)).toBe(library.getCountAtIndex(index));
        }
      }),
      tries(40),
    );
  });

  it("merges with another by addition", () => {
    fc.assert(
      fc.property(samples, samples, (one, other) => {
        const merged = decode(encodeHdr(histogram(one)));
        merged.add(decode(encodeHdr(histogram(other))));
        const whole = recorded([...one, ...other]);
        expect(merged.totalCount).toBe(one.length + other.length);
        for (const percentile of [0, 50, 99, 100]) {
          expect(merged.getValueAtPercentile(percentile)).toBe(whole.getValueAtPercentile(percentile));
        }
      }),
      tries(40),
    );
  });

  it("keeps counts beyond 32 bits", () => {
    const counts = new Float64Array([2 ** 31, 0, 2 ** 40 + 3, 0, 0, Number.MAX_SAFE_INTEGER]);
    const decoded = decode(encodeHdr({ first: 7, counts, sumNs: 0, minNs: 7, maxNs: 12 }));
    expect([...counts].map((_, i) => decoded.getCountAtIndex(7 + i))).toEqual([...counts]);
  });

  it("writes the header of the Java original, whose offset and ratio other readers honour", () => {
    const bytes = Buffer.from(encodeHdr(histogram([5, 5, 3_000_000])), "base64");
    expect(bytes.readUInt32BE(0)).toBe(0x1c849314);
    expect(bytes.readUInt32BE(4)).toBe(bytes.length - 8);
    const inner = inflateSync(bytes.subarray(8));
    expect(inner.readUInt32BE(0)).toBe(0x1c849313);
    expect(inner.readUInt32BE(4)).toBe(inner.length - 40);
    expect(inner.readInt32BE(8)).toBe(0);
    expect(inner.readInt32BE(12)).toBe(3);
    expect(inner.readBigInt64BE(16)).toBe(1n);
    expect(inner.readBigInt64BE(24)).toBe(BigInt(HIGHEST_TRACKABLE_NS));
    expect(inner.readDoubleBE(32)).toBe(1);
    // Five empty buckets (-5 is 9 in ZigZag), then the count 2 (4 in ZigZag).
    expect([...inner.subarray(40, 42)]).toEqual([9, 4]);
  });

  it("gives byte for byte what HdrHistogram_c encodes", () => {
    const counts = new Float64Array(INDEX_COUNT);
    const values = { 1: 1, 1000: 5, 5000: 3, 123456: 1e6, 9999999: 7, [2 ** 41 + 5]: 2 };
    for (const [value, count] of Object.entries(values)) counts[indexOf(Number(value))] = count;
    const encoded = Buffer.from(encodeHdr({ first: 0, counts, sumNs: 0, minNs: 1, maxNs: 2 ** 41 + 5 }), "base64");
    // hdr_log_encode() of HdrHistogram_c 0.11 with the same values recorded, inflated.
    expect(inflateSync(encoded.subarray(8)).toString("hex")).toBe(
      "1c849313000000140000000000000003000000000000000100000400000000003ff00000000000000102cb0f0af12306cb4a80897af3640ef59c0204",
    );
  });
});

describe("percentiles", () => {
  it("are the library's, but never beyond the exact maximum", () => {
    const wanted = [50, 90, 95, 99, 99.9, 99.99];
    fc.assert(
      fc.property(samples, (values) => {
        const raw = histogram(values);
        const library = recorded(values);
        expect(percentiles(raw, totalCount(raw), wanted)).toEqual(
          wanted.map((percentile) => Math.min(library.getValueAtPercentile(percentile), raw.maxNs)),
        );
      }),
    );
  });

  it("do not reach for one value more where the product is rounded upwards", () => {
    // 99.9 / 100 x 1000 is 999.0000000000001 in floating point.
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    const raw = histogram(values);
    expect(percentiles(raw, 1000, [99.9])).toEqual([999]);
  });
});
