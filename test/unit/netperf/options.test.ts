import { describe, expect, it } from "vitest";
import { intervalWidths } from "../../../src/netperf/client/confidence.js";
import { NetperfExit } from "../../../src/netperf/client/exit.js";
import { getopt } from "../../../src/netperf/client/getopt.js";
import { parseCommandLine } from "../../../src/netperf/client/options.js";
import { both, explicit, number, testLength, tos } from "../../../src/netperf/client/values.js";

describe("values", () => {
  it.each([
    ["10", 10],
    ["-5", -5],
    ["4K", 4096],
    ["4k", 4000],
    ["2M", 2 * 1024 ** 2],
    ["1g", 1e9],
    ["", 0],
    ["x", 0],
  ])("number %j is %d", (text, value) => expect(number(text)).toBe(value));

  it.each([
    ["10", { seconds: 10, limit: 0 }],
    ["1m0s", { seconds: 60, limit: 0 }],
    ["2m", { seconds: 120, limit: 0 }],
    ["500ms", { seconds: 0.5, limit: 0 }],
    ["1s", { seconds: 1, limit: 0 }],
    ["-100", { seconds: 0, limit: 100 }],
    ["-1K", { seconds: 0, limit: 1024 }],
    ["0", { seconds: 0, limit: 0 }],
  ])("length %j", (text, length) => expect(testLength(text)).toEqual(length));

  it("pairs are split in netperf's two ways", () => {
    expect([both("1"), both("1,"), both(",2"), both("1,2")]).toEqual([
      ["1", "1"],
      ["1", undefined],
      [undefined, "2"],
      ["1", "2"],
    ]);
    expect(explicit("1")).toEqual(["1", undefined]);
  });

  it.each([
    ["cs1", 0x20],
    ["AF41", 0x88],
    ["EF", 0xb8],
    ["0x10", 16],
    ["010", 8],
    ["256", undefined],
    ["nonsense", undefined],
  ])("type of service %s", (text, code) => expect(tos(text)).toBe(code));
});

describe("getopt", () => {
  it("knows clusters, attached and separate values, and optional ones that fit", () => {
    const { found, complaints, rest } = getopt(
      "p",
      ["-ab1", "-b", "2", "-c", "9", "-c", "-a", "--", "x"],
      "ab:c?",
      (_o, word) => /^\d/.test(word),
    );
    expect(found.map(({ option, value }) => option + value)).toEqual(["a", "b1", "b2", "c9", "c", "a"]);
    expect([complaints, rest]).toEqual([[], ["x"]]);
  });

  it("complains in getopt's words", () => {
    expect(getopt("netperf", ["-Q", "-l"], "l:", () => false).complaints).toEqual([
      "netperf: invalid option -- 'Q'",
      "netperf: option requires an argument -- 'l'",
    ]);
  });
});

describe("the command line", () => {
  const parse = (line: string) => parseCommandLine(line.split(" "));
  const exit = (line: string): NetperfExit => {
    try {
      parse(line);
    } catch (error) {
      if (error instanceof NetperfExit) return error;
    }
    throw new Error(`${line}: no exit`);
  };

  it("of flent is understood", () => {
    const settings = parse(
      "-P 0 -v 0 -D -0.20 -4 -Y CS0,CS0 -H 127.0.0.1 -p 12865 -t TCP_STREAM -l 70 -F /dev/urandom -f m -- -H 10.0.0.1 -k THROUGHPUT -K cubic",
    );
    expect(settings).toMatchObject({
      ...{ headers: false, verbosity: 0, interimSeconds: 0.2, controlFamily: "ipv4", host: "127.0.0.1", kind: "send" },
      ...{ dataHost: "10.0.0.1", style: "keyval", selection: "THROUGHPUT", length: { seconds: 70 }, unit: "m" },
      ...{ local: { tos: 0, congestion: "cubic" }, remote: { tos: 0, congestion: "" } },
    });
  });

  it("sets sizes of both ends", () => {
    expect(parse("-t tcp_rr -T ,1 -- -r 64,1K -s 1M -S ,2M -b 4 -D -P ,5001 -M 1,2 -m 3,4")).toMatchObject({
      ...{ kind: "rr", requestBytes: 64, responseBytes: 1024, burst: 4, noDelay: true },
      local: { sndbufBytes: 2 ** 20, rcvbufBytes: 2 ** 20, cpu: -1, dataPort: 0, sendBytes: 3, recvBytes: 2 },
      remote: { sndbufBytes: -1, rcvbufBytes: 2 ** 21, cpu: 1, dataPort: 5001, sendBytes: 4, recvBytes: 1 },
    });
  });

  it("takes -I and -i as netperf does", () => {
    expect(parse("-I 95,10").confidence).toMatchObject({ level: 95, widthPct: 10, min: 3, max: 10 });
    expect(parse("-i 50,2 -I 99").confidence).toMatchObject({ level: 99, widthPct: 5, min: 3, max: 30 });
    expect(exit("-I 50").code).toBe(255);
  });

  it("goes on after an unknown test-specific option, and says so", () => {
    expect(parse("-t TCP_RR -- -Q").notes).toEqual(["netperf: invalid option -- 'Q'"]);
  });

  it.each([
    ["-t BLAH", 1, "unknown to this netperf"],
    ["-t OMNI -- -d recv -T udp", 1, "OMNI (Receive) over udp is not supported"],
    ["-t TCP_CC -- -T udp", 1, "not supported"],
    ["-t OMNI -- -d sideways", 1, "-d sideways: expected send, recv, rr"],
    ["-t TCP_RR -- -r 0,1", 1, "-r 0: expected sizes of at least 1"],
    ["-t TCP_RR -- -P 70000", 1, "-P 70000: expected a port"],
    ["-p 70000", 1, "-p 70000: expected a port"],
    ["-t TCP_RR -- -T sctp", 1, "over sctp is not supported"],
    ["-Q", 1, "invalid option -- 'Q'"],
    ["-h", 1, "Usage: netperf"],
    ["-- -h", 1, "Usage: netperf"],
    ["-V", 0, "Netperf version 2.7.1"],
  ])("ends at once: %s", (line, code, text) => {
    const { code: actual, out, err } = exit(line);
    expect(actual).toBe(code);
    expect(out + err).toContain(text);
  });
});

it("confidence intervals are full widths in percent of the mean, by Student's t", () => {
  // Mean 10, sample standard deviation 1, n = 3: 2 x 4.303 x 1 / sqrt(3) / 10.
  const [width] = intervalWidths(95, [[9, 10, 11]]);
  expect(width).toBeCloseTo((2 * 4.303) / Math.sqrt(3) / 0.1, 6);
  expect(intervalWidths(99, [[5, 5, 5], [1]])).toEqual([0, Number.POSITIVE_INFINITY]);
});
