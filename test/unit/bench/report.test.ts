import { describe, expect, it } from "vitest";
import type { RowResult, Sample } from "../../../bench/peers/model.js";
import { UsageError, parseOptions } from "../../../bench/peers/options.js";
import {
  END_MARK,
  START_MARK,
  linesOf,
  replaceBetweenMarks,
  rowsAsMarkdown,
  rowsAsText,
} from "../../../bench/peers/report.js";
import { ROWS } from "../../../bench/peers/rows.js";
import { formatQuantity, significant } from "../../../bench/shared/format.js";

function sample(rate: number, cores: number, megabytes: number): Sample {
  return {
    rate,
    units: 2 * rate,
    cpuSeconds: { client: 1, server: 1 },
    busyCores: { client: cores, server: cores },
    peakBytes: { client: megabytes * 1e6, server: megabytes * 1e6 },
  };
}

const row = ROWS.find(({ id }) => id === "rr-32-loopback-apart")!;
const result: RowResult = {
  row,
  samples: {
    "cnb-load": [sample(20_000, 0.5, 60), sample(22_000, 0.5, 60), sample(24_000, 0.5, 60)],
    netperf: [sample(10_000, 0.5, 70), sample(11_000, 0.5, 70), sample(8_000, 0.5, 70)],
    neper: [null, null, null],
  },
  faults: ["neper: no"],
};

describe("tables", () => {
  it("compare the medians, the rounds, the CPU time per unit and the memory", () => {
    const [netperf, neper] = linesOf(result);
    expect(netperf).toMatchObject({
      peer: "netperf",
      ours: { median: 22_000, min: 20_000, max: 24_000 },
      theirs: { median: 10_000 },
      comparison: { ofMedians: 2.2, pairwise: { median: 2, min: 2, max: 3 } },
      memory: { ours: 120e6, theirs: 140e6 },
    });
    expect(netperf?.cpuRatio).toBeCloseTo(10 / 22);
    expect(neper).toMatchObject({ peer: "neper", theirs: undefined, comparison: undefined, cpuRatio: undefined });
  });

  it("show failures and missing peers", () => {
    expect(rowsAsText([result])).toMatch(/^rr-32-loopback-apart +22\.0 k\/s \(20\.0\.\.24\.0\) +neper +failed/m);
    const alone = { row, samples: { "cnb-load": [sample(1, 1, 1)] }, faults: [] };
    expect(rowsAsText([alone])).toContain("none here");
  });

  it("have the same number of cells in every line of markdown", () => {
    const lines = rowsAsMarkdown([result]).split("\n");
    expect(lines).toHaveLength(4);
    expect(new Set(lines.map((line) => line.split("|").length)).size).toBe(1);
    expect(lines[2]).toContain("| loopback | apart | 22.0 k/s (20.0..24.0) | netperf |");
  });

  it("go between the markers and leave the rest alone", () => {
    const text = `before\n${START_MARK}\nold\n${END_MARK}\nafter\n`;
    const updated = replaceBetweenMarks(text, "new");
    expect(updated).toBe(`before\n${START_MARK}\n\nnew\n\n${END_MARK}\nafter\n`);
    expect(replaceBetweenMarks(updated, "new")).toBe(updated);
    expect(() => replaceBetweenMarks("no markers", "new")).toThrow("markers");
  });
});

describe("figures", () => {
  it("have three significant digits", () => {
    expect([0, 0.1234, 1.2, 12.345, 123.4, 1234].map(significant)).toEqual([
      "0",
      "0.123",
      "1.20",
      "12.3",
      "123",
      "1234",
    ]);
    expect([999.6, 52_123, 9.871e9, 0.5].map((value) => formatQuantity(value, "/s"))).toEqual([
      "1.00 k/s",
      "52.1 k/s",
      "9.87 G/s",
      "0.500 /s",
    ]);
  });
});

describe("options", () => {
  it("make a whole bench write the docs, and a part of it not", () => {
    expect(parseOptions([])).toMatchObject({ pairs: 5, seconds: 2, docs: true, quick: false });
    expect(parseOptions(["--quick"])).toMatchObject({ pairs: 3, seconds: 1, docs: false });
    expect(parseOptions(["--rows", "^rr", "--docs", "--pairs", "7"])).toMatchObject({ pairs: 7, docs: true });
    expect(parseOptions(["--help"])).toBeNull();
  });

  it("name what is wrong", () => {
    expect(() => parseOptions(["--pairs", "0"])).toThrow(/--pairs: expected a whole number above 0, got "0"/);
    expect(() => parseOptions(["--seconds=1.5"])).toThrow(/--seconds/);
    expect(() => parseOptions(["--rows", "("])).toThrow(/--rows: expected a regular expression/);
    expect(() => parseOptions(["--fast"])).toThrow(UsageError);
  });
});
