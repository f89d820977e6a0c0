import { describe, expect, it } from "vitest";
import { alignRows, wrap } from "../../../src/report/layout.js";
import * as units from "../../../src/report/units.js";

describe("units", () => {
  it("scale and round to four digits", () => {
    expect([0, 999, 1000, 999_949, 999_960, 9_412_345_678, 1e16].map(units.formatBitRate)).toEqual([
      "0 bit/s",
      "999 bit/s",
      "1 kbit/s",
      "999.9 kbit/s",
      "1.000 Mbit/s",
      "9.412 Gbit/s",
      "10,000 Tbit/s",
    ]);
    expect([0.25, 45_678, 1e6].map(units.formatRate)).toEqual(["0.2500/s", "45.68 k/s", "1 M/s"]);
    expect([1, 131072, 1.5 * 1024 ** 3].map(units.formatBytes)).toEqual(["1 B", "128 KiB", "1.500 GiB"]);
    expect([0, 850, 12_345, 2.5e6, 61e9, 4398e9].map(units.formatTime)).toEqual([
      "0 ns",
      "850 ns",
      "12.35 us",
      "2.500 ms",
      "61 s",
      "4,398 s",
    ]);
  });

  it("read plainly", () => {
    expect(units.formatCount(1_234_567)).toBe("1,234,567");
    expect(units.formatCount(999)).toBe("999");
    expect(units.formatSeconds(10_000_123_456)).toBe("10.0 s");
    expect([units.formatCores(1.915), units.formatShare(0.4832)]).toEqual(["1.92", "48 %"]);
  });
});

describe("layout", () => {
  it("aligns columns and drops those without a value", () => {
    const rows = [
      ["a", "1", undefined],
      ["bbb", "22", ""],
    ];
    expect(alignRows(["name", "n", "empty"], rows)).toEqual(["name   n", "a      1", "bbb   22"]);
  });

  it("wraps at words and never drops one", () => {
    const text = "one two three four five six";
    expect(wrap(text, 12, "  ")).toEqual(["  one two", "  three four", "  five six"]);
    expect(wrap("x".repeat(30), 12, "")).toEqual(["x".repeat(30)]);
  });

  it("gives small shares without an exponent", () => {
    const shares = [0, 1e-7, 0.0012345, 1.2346, 100].map(units.formatPercent);
    expect(shares).toEqual(["0 %", "< 0.0001 %", "0.00123 %", "1.23 %", "100 %"]);
  });
});
