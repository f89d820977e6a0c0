import { describe, expect, it } from "vitest";
import type { Result } from "../../../src/result/model.js";
import { describeMean, runTable } from "../../../src/report/repeat.js";
import { renderText } from "../../../src/report/text.js";
import { rr, stream } from "./samples.js";

type Run = NonNullable<Result["runs"]>[number];

function run(perSecond: number, p50Ns: number): Run {
  return {
    startedAt: "2026-01-02T03:04:05.678Z",
    durationNs: 10e9,
    perSecond,
    latency: { p50Ns, p90Ns: 1.5 * p50Ns, p99Ns: 5 * p50Ns, p99_9Ns: 20 * p50Ns },
    cpu: { local: { busyCores: 1.6, nsPerTransaction: 35_000 }, remote: { busyCores: 2, nsPerTransaction: 43_000 } },
  };
}

const repeated: Result = {
  ...rr,
  window: { durationNs: 30e9 },
  runs: [run(45_000, 21_500), run(46_123.4, 21_000), run(45_912, 21_200)],
  repeat: { runs: 3, meanPerSecond: 45_678.5, confidence: 0.95, halfWidthPct: 3.2178 },
  warnings: [],
};

describe("the table of a repeated test", () => {
  it("is as in its golden file", async () => {
    await expect(renderText(repeated)).toMatchFileSnapshot("golden/repeated.txt");
  });

  it("says how well the mean is known, as far as it is", () => {
    expect(describeMean(repeated)).toBe("45.68 k/s ± 3.2 % (3 runs, 95 % confidence)");
    expect(describeMean({ ...repeated, repeat: { runs: 1, meanPerSecond: 5, confidence: 0.95 } })).toBe(
      "5/s (1 run, nothing known of its spread)",
    );
    expect(
      describeMean({ ...stream, repeat: { runs: 2, meanBitsPerSecond: 9e9, confidence: 0.95, halfWidthPct: 12 } }),
    ).toBe("9 Gbit/s ± 12 % (2 runs, 95 % confidence)");
    expect(
      describeMean({ ...stream, repeat: { runs: 2, meanBitsPerSecond: 9e9, confidence: 0.95, halfWidthPct: 130.8 } }),
    ).toBe("9 Gbit/s ± 131 % (2 runs, 95 % confidence)");
    expect(describeMean(rr)).toBeUndefined();
  });

  it("leaves very many runs to the JSON, and what a run does not have", () => {
    expect(runTable({ ...repeated, runs: Array.from({ length: 31 }, () => run(1, 2)) })).toEqual([
      "runs: 31, listed one by one in the JSON result",
    ]);
    const bulk: Run = { startedAt: "", durationNs: 1, bitsPerSecond: 9.4e9, cpu: {} };
    expect(runTable({ ...stream, runs: [bulk] })).toEqual(["run          rate", "1    9.400 Gbit/s"]);
  });
});
