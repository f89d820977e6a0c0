import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkAddresses, checkCidrs, parseHost, parsePortRange } from "../../../src/options/addresses.js";
import { checkCpus, formatCpuList, MAX_CPU, parseCpuList } from "../../../src/options/cpu-lists.js";
import { formatDuration, parseDuration, secondsToNs } from "../../../src/options/durations.js";
import { parsePercent } from "../../../src/options/percents.js";
import { formatScaled, parseBitRate, parseRate } from "../../../src/options/rates.js";
import { formatSize, parseSize } from "../../../src/options/sizes.js";

const table = <T>(cases: [string, T][], parse: (text: string) => T): void => {
  for (const [text, expected] of cases) expect([text, parse(text)]).toEqual([text, expected]);
};

describe("sizes", () => {
  it("reads powers of 1024 in every spelling", () => {
    table(
      [
        ["0", 0],
        ["1000", 1000],
        ["64K", 65536],
        ["64k", 65536],
        ["64Ki", 65536],
        ["64kib", 65536],
        [" 1.5M ", 1572864],
        ["2Gi", 2 ** 31],
      ],
      parseSize,
    );
  });

  it("refuses what is no whole number of bytes", () => {
    for (const text of ["", "K", "-1", "1.3", "0.3K", "1KB", "1 K", "1T", "1e3", "0x10", "NaN", "9007199254740993G"]) {
      expect([text, parseSize(text)]).toEqual([text, undefined]);
    }
  });

  it("reads back what it writes", () => {
    const bytes = fc.oneof(
      fc.nat(),
      fc.maxSafeNat(),
      fc.nat(4096).map((n) => n * 1024),
      fc.nat(64).map((n) => n * 1024 ** 3),
    );
    fc.assert(
      fc.property(bytes, (n) => {
        expect(parseSize(formatSize(n))).toBe(n);
      }),
    );
  });
});

describe("rates", () => {
  it("reads powers of 1000, with what they are of or without", () => {
    table(
      [
        ["0", 0],
        ["1000/s", 1000],
        ["1000", 1000],
        [" 10k/s ", 10_000],
        ["10 k/s", 10_000],
        ["1.5K", 1500],
        ["2.3M / s", 2_300_000],
      ],
      parseRate,
    );
    table(
      [
        ["100M", 100e6],
        ["2.3G", 2.3e9],
        ["2.5 Gbit/s", 2.5e9],
        ["64kbps", 64e3],
        ["1T", 1e12],
        ["999", 999],
      ],
      parseBitRate,
    );
  });

  it("refuses what is no whole number", () => {
    for (const text of [
      "",
      "/s",
      "k",
      "-1",
      "0.5",
      "1.2345k",
      "1e3",
      "10k/m",
      "1 0",
      "1Ki",
      "1/s/s",
      "9007199254740993",
    ]) {
      expect([text, parseRate(text)]).toEqual([text, undefined]);
    }
    for (const text of ["", "M", "bit/s", "100M/s", "100MB", "100Mibit/s", "0.0001k"]) {
      expect([text, parseBitRate(text)]).toEqual([text, undefined]);
    }
  });

  it("reads back what it writes", () => {
    const values = fc.oneof(
      fc.nat(),
      fc.nat(10_000).map((n) => n * 100),
      fc.nat(10_000).map((n) => n * 1e8),
      fc.nat(100).map((n) => n * 1e11),
    );
    fc.assert(
      fc.property(values, (n) => {
        expect(parseRate(`${formatScaled(n)}/s`)).toBe(n);
        expect(parseBitRate(formatScaled(n))).toBe(n);
      }),
    );
  });
});

describe("durations", () => {
  it("reads units, Go's notation and bare seconds as nanoseconds", () => {
    table(
      [
        ["10", 10e9],
        ["0", 0],
        ["0.5", 0.5e9],
        ["10s", 10e9],
        ["1.5s", 1.5e9],
        [".5s", 0.5e9],
        ["500ms", 0.5e9],
        ["250us", 250e3],
        ["250µs", 250e3],
        ["7ns", 7],
        ["2m", 120e9],
        ["1h", 3600e9],
        ["1m30s", 90e9],
        ["1h2m3.5s", 3723.5e9],
      ],
      parseDuration,
    );
  });

  it("refuses everything else", () => {
    for (const text of [
      "",
      " ",
      "-1s",
      "s",
      "1x",
      "1m30",
      "1 s",
      "1s 2s",
      "1e3s",
      "Infinity",
      "1.s",
      "1d",
      "10S",
      "999999999h",
    ]) {
      expect([text, parseDuration(text)]).toEqual([text, undefined]);
    }
    for (const seconds of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e10])
      expect(secondsToNs(seconds)).toBeUndefined();
  });

  it("reads back what it writes, to the nanosecond", () => {
    const ns = fc.oneof(
      fc.nat(),
      fc.nat(1_000_000).map((ms) => ms * 1e6),
      fc.integer({ min: 0, max: 168 * 3600 * 1e9 }),
    );
    fc.assert(
      fc.property(ns, (n) => {
        expect(parseDuration(formatDuration(n))).toBe(n);
      }),
    );
  });

  it("writes the way Go does", () => {
    expect([90e9, 10e9, 5e8, 3600e9, 3723.5e9].map(formatDuration)).toEqual([
      "1m30s",
      "10s",
      "500ms",
      "1h",
      "1h2m3.5s",
    ]);
  });
});

describe("percentages", () => {
  it("reads a number with or without its sign", () => {
    table(
      [
        ["2%", 2],
        [" 0.5 % ", 0.5],
        [".25", 0.25],
        ["150", 150],
      ],
      parsePercent,
    );
  });

  it("refuses everything else", () => {
    for (const text of ["", "%", "-1%", "2%%", "1e2", "2 percent", "1,5", "NaN"]) {
      expect([text, parsePercent(text)]).toEqual([text, undefined]);
    }
  });
});

describe("CPU lists", () => {
  it("reads ranges in the order written", () => {
    table(
      [
        ["2-5,8", [2, 3, 4, 5, 8]],
        ["7", [7]],
        ["8, 0-1", [8, 0, 1]],
      ],
      parseCpuList,
    );
  });

  it("refuses malformed lists, reversed ranges, duplicates and impossible CPUs", () => {
    for (const text of ["", ",", "1,", "a", "1-", "-1", "5-2", "1,1", "0-3,2", "8192", "0-99999999999", "1.5"]) {
      expect([text, parseCpuList(text)]).toEqual([text, undefined]);
    }
    for (const cpus of [[], [-1], [1.5], ["1"], [3, 3], [MAX_CPU + 1], [Number.NaN]])
      expect(checkCpus(cpus)).toBeUndefined();
  });

  it("reads back what it writes", () => {
    const cpus = fc.uniqueArray(fc.nat(MAX_CPU), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(cpus, (list) => {
        expect(parseCpuList(formatCpuList(list))).toEqual(list);
      }),
    );
    const sorted = cpus.map((list) => list.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(sorted, (list) => {
        expect(parseCpuList(formatCpuList(list))).toEqual(list);
      }),
    );
  });

  it("never reads a CPU twice or out of range, whatever the text", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9,-]{0,20}$/), (text) => {
        const cpus = parseCpuList(text);
        if (cpus === undefined) return;
        expect(new Set(cpus).size).toBe(cpus.length);
        expect(cpus.every((cpu) => cpu >= 0 && cpu <= MAX_CPU)).toBe(true);
      }),
    );
  });
});

describe("addresses", () => {
  it("takes names and numeric addresses as a host", () => {
    table<string | undefined>(
      [
        ["localhost", "localhost"],
        ["node-1.example.com", "node-1.example.com"],
        ["10.0.0.1", "10.0.0.1"],
        ["[::1]", "::1"],
        ["fe80::1%eth0", "fe80::1%eth0"],
        ["", undefined],
        ["a b", undefined],
        ["10.0.0", undefined],
        ["300.1.1.1", undefined],
        ["10.0.0.1:12865", undefined],
        ["http://a", undefined],
        ["-x", undefined],
      ],
      parseHost,
    );
  });

  it("takes only numeric addresses, each once, for binding", () => {
    expect(checkAddresses(["10.0.0.2", "10.0.0.3"])).toEqual(["10.0.0.2", "10.0.0.3"]);
    for (const list of [[], [""], ["localhost"], ["10.0.0.2", "10.0.0.2"]])
      expect(checkAddresses(list)).toBeUndefined();
  });

  it("completes plain addresses to CIDRs", () => {
    expect(checkCidrs(["10.0.0.0/8", "192.168.1.5", "::1", "fd00::/8"])).toEqual([
      "10.0.0.0/8",
      "192.168.1.5/32",
      "::1/128",
      "fd00::/8",
    ]);
    for (const cidr of [
      "10.0.0.0/33",
      "::1/129",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "x/8",
      "fe80::1%eth0/64",
      "1.2.3.4/-1",
    ]) {
      expect([cidr, checkCidrs([cidr])]).toEqual([cidr, undefined]);
    }
  });

  it("takes a range of ports from low to high", () => {
    expect(parsePortRange("20000-29999")).toEqual([20000, 29999]);
    for (const text of ["", "1", "2-1", "0-5", "1-65536", "a-b", "1-2-3"]) expect(parsePortRange(text)).toBeUndefined();
  });
});
