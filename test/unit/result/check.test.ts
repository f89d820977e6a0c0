import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { parseEndReport, parseHostContext, shapeProblem } from "../../../src/result/check.js";
import { tries } from "../../support/tries.js";
import { end, host, noErrors, tcpInfo } from "./fixtures.js";
import { paths, replaceAt } from "./places.js";
import { committedSchema, schemaProblems } from "./schema-problems.js";

/** What comes out of JSON may differ from the type at will. */
type Loose = Record<string, unknown>;
const loose = (value: unknown): Loose => JSON.parse(JSON.stringify(value)) as Loose;

const full = () =>
  loose(
    end({
      flows: { ...end().flows, connectErrors: [noErrors, noErrors], tcpInfo: [tcpInfo(), tcpInfo()] },
      zerocopy: { requestedBytes: 3, zeroCopiedBytes: 1, copiedBytes: 2 },
    }),
  );

describe("parseEndReport", () => {
  it("takes what an end reports", () => {
    expect(parseEndReport(full())).toEqual(full());
    expect(schemaProblems("report", full())).toEqual([]);
  });

  it("lets properties pass that a newer peer may add", () => {
    expect(() => parseEndReport({ ...full(), later: { x: 1 } })).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ["windowNs", "10", 'report.windowNs: expected integer, got "10"'],
    ["windowNs", -1, "report.windowNs: expected at least 0, got -1"],
    ["windowNs", 1e300, "report.windowNs: expected at most 9007199254740991, got 1e+300"],
    ["windowNs", 0.5, "report.windowNs: expected integer, got 0.5"],
    ["engine", "poll", 'report.engine: expected one of block, epoll, spin, uring, got "poll"'],
    ["cpus", [0, -2], "report.cpus[1]: expected at least -1, got -2"],
    ["cpus", "0", 'report.cpus: expected array, got "0"'],
    ["host", null, "report.host: expected object, got null"],
    ["host", [], "report.host: expected object, got a list"],
    ["socket", {}, "report.socket: sndbufBytes is missing"],
  ])("refuses %s = %j and says why", (name, value, message) => {
    expect(() => parseEndReport({ ...full(), [name]: value })).toThrow(
      expect.objectContaining({ code: "ERR_PROTOCOL", message: `Malformed message from the peer: ${message}` }),
    );
  });

  it("refuses columns of different lengths", () => {
    const report = full();
    expect(() => parseEndReport({ ...report, flows: { ...(report["flows"] as Loose), bytesSent: [1] } })).toThrow(
      /report\.flows\.bytesSent: expected 2 entries, got 1/,
    );
  });

  it("names a value that is nested beyond any recursion without printing it", () => {
    let deep: unknown = 1;
    for (let i = 0; i < 50_000; i++) deep = [deep];
    expect(() => parseEndReport({ ...full(), windowNs: deep })).toThrow(/got a list/);
  });

  it("judges as ajv does, whatever stands in place of any part", () => {
    const oddities = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom<unknown>(null, -1, 0, 1, 2 ** 53, 1e300, 0.5, "", "x".repeat(5000), [], {}, true, "block"),
    );
    const places = paths(full());
    fc.assert(
      fc.property(fc.constantFrom(...places), oddities, (path, odd) => {
        const changed = replaceAt(full(), path, odd);
        const problem = shapeProblem(committedSchema("end-report.json"), changed, "report");
        const refused = schemaProblems("report", changed).filter((one) => !one.includes("additional properties"));
        expect(problem === null).toBe(refused.length === 0);
      }),
      tries(300),
    );
  });

  it("throws nothing but CnbLoadError, whatever comes", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => parseEndReport(value)).toThrow(CnbLoadError);
      }),
    );
  });
});

describe("parseHostContext", () => {
  it("takes a host and refuses what is none", () => {
    expect(parseHostContext(loose(host()))).toEqual(host());
    expect(() => parseHostContext({ ...host(), cpus: "4" })).toThrow(/host\.cpus: expected integer, got "4"/);
    expect(() => parseHostContext(undefined)).toThrow(/host: expected object, got undefined/);
  });
});
