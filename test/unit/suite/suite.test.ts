import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { wallTimeNs } from "../../../src/options/repetition.js";
import { resolveRunOptions } from "../../../src/options/spec.js";
import type { ResultsDocument } from "../../../src/result/documents.js";
import { parseResults } from "../../../src/result/documents.js";
import type { Result } from "../../../src/result/model.js";
import { publishedSchemas } from "../../../src/result/schema/published.js";
import { renderJson, renderResultsJson } from "../../../src/report/json.js";
import { parseMatrix } from "../../../src/suite/matrix.js";
import { JSON_NOTATION, notationOf } from "../../../src/suite/notation.js";
import { findCompleted, planRuns, settleNs } from "../../../src/suite/plan.js";
import { presetMatrix } from "../../../src/suite/presets.js";
import { matrixSchema } from "../../../src/suite/schema.js";
import * as samples from "../report/samples.js";

const HOST = "10.0.0.2";
const parse = (value: unknown) => parseMatrix(JSON.stringify(value), "m.json");
/** Ten anchors, each a list of ten times the one before. */
const LAUGHS = Array.from(
  { length: 10 },
  (_, at) =>
    `a${at}: &a${at} [${Array(10)
      .fill(at === 0 ? "x" : `*a${at - 1}`)
      .join(", ")}]`,
).join("\n");
const ajv = new Ajv({ strict: false });

describe("presets", () => {
  it("run every test with one flow and with N", () => {
    const specs = planRuns(presetMatrix("cni", 8), HOST, {}).map(({ spec }) => spec);
    const tests = ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"];
    expect(specs.map(({ test, flows }) => [test, flows])).toEqual(
      [1, 8].flatMap((n) => tests.map((test) => [test, n])),
    );
    expect(planRuns(presetMatrix("cni", 1), HOST, {})).toHaveLength(4);
  });

  it("take less than a minute when quick", () => {
    const plan = planRuns(presetMatrix("quick", 64), HOST, {});
    expect(plan.reduce((sum, { spec }) => sum + wallTimeNs(spec).mostNs, 0)).toBeLessThan(60e9);
  });
});

describe("a matrix file", () => {
  it("gives its defaults to the runs whose test takes them", () => {
    const matrix = parse({
      defaults: { duration: "2s", request: 100, cpus: null },
      runs: [{ test: "tcp_rr" }, { test: "tcp_stream", duration: 5, sendSize: "64K" }],
    });
    expect(matrix.name).toBe("m.json");
    const [rr, stream] = planRuns(matrix, HOST, { warmup: "0" }).map(({ spec }) => spec);
    expect(rr).toMatchObject({ test: "tcp_rr", host: HOST, durationNs: 2e9, requestBytes: 100, warmupNs: 0 });
    expect(stream).toMatchObject({ test: "tcp_stream", durationNs: 5e9, sendSizeBytes: 65_536, warmupNs: 0 });
  });

  it("yields to the command line", () => {
    const matrix = parse({ runs: [{ test: "tcp_rr", duration: 60 }] });
    expect(planRuns(matrix, HOST, { duration: "1s" })[0]?.spec.durationNs).toBe(1e9);
  });

  it.each([
    [[], "m.json: expected an object such as"],
    [{}, "m.json: runs: expected a list of 1 to 10000 objects of run options, got nothing"],
    [{ runs: [] }, "m.json: runs: expected a list"],
    [{ runs: [{}], tests: 1 }, "m.json: tests: unknown property; expected name, defaults, runs"],
    [{ runs: [3] }, "m.json: runs[0]: expected an object of run options, got 3"],
    [
      { runs: [{ test: "rr" }] },
      'm.json: runs[0].test: expected one of tcp_stream, tcp_maerts, tcp_rr, tcp_crr, tcp_cc, udp_stream, udp_rr, got "rr"',
    ],
    [{ runs: [{ test: "tcp_rr", flow: 1 }] }, "m.json: runs[0].flow: unknown option; did you mean flows?"],
    [{ runs: [{ test: "tcp_rr" }, { test: "tcp_rr", flows: "x" }] }, "m.json: runs[1].flows: expected a whole number"],
    [{ runs: [{ test: "tcp_rr", host: "h" }] }, "m.json: runs[0].host: the server is named on the command line"],
    [{ runs: [{ test: "tcp_rr" }], defaults: { duration: "5x" } }, "m.json: defaults.duration: expected a time"],
    [{ runs: [{ test: "tcp_rr" }], defaults: { constructor: 1 } }, "m.json: defaults.constructor: unknown option"],
  ])("is refused with path and expectation: %j", (value, message) => {
    expect(() => parse(value)).toThrow(message);
    expect(ajv.validate(matrixSchema(), value) && !message.includes("flows") && !message.includes("time")).toBe(false);
  });

  it("in YAML says the same", async () => {
    const text = `
name: request sizes
defaults: { duration: 20s, flows: 16 }   # a comment
runs:
  - test: tcp_rr
    request: 1
    coalesce: false
  - { test: tcp_rr, response: 8K, cpus: "0,1" }
  - test: tcp_stream
    flows: 1
`;
    const runs = [
      { test: "tcp_rr", request: 1, coalesce: false },
      { test: "tcp_rr", response: "8K", cpus: "0,1" },
      { test: "tcp_stream", flows: 1 },
    ];
    const same = parse({ name: "request sizes", defaults: { duration: "20s", flows: 16 }, runs });
    const given = parseMatrix(text, "m.yaml", await notationOf("m.yaml"));
    expect(planRuns(given, HOST, {}).map(({ spec }) => spec)).toEqual(planRuns(same, HOST, {}).map(({ spec }) => spec));
    expect(await notationOf("dir.yaml/m.json")).toBe(JSON_NOTATION);
  });

  it.each([
    ["runs: [", "m.yml: expected a matrix in YAML: Flow sequence in block collection must be"],
    ["name: a\nname: b", "m.yml: expected a matrix in YAML: Map keys must be unique at line 2"],
    ["runs:\n  - test: tcp_rr\n    flow: 1", "m.yml: runs[0].flow: unknown option; did you mean flows?"],
    ["- test: tcp_rr", "m.yml: expected an object such as"],
    ["", "m.yml: expected an object such as"],
    ["runs: [{ test: tcp_rr, flows: .inf }]", "m.yml: runs[0].flows: expected a whole number"],
    [LAUGHS, "m.yml: expected a matrix in YAML: Excessive alias count"],
  ])("in YAML is refused with the line or the path: %j", async (text, message) => {
    const notation = await notationOf("m.yml");
    expect(() => parseMatrix(text, "m.yml", notation)).toThrow(message);
  });

  it("is refused when it is no JSON, or where the options of a run do not go together", () => {
    expect(() => parseMatrix("runs: []", "m.json")).toThrow("m.json: expected a matrix in JSON: ");
    const wrongTest = parse({ runs: [{ test: "tcp_rr", sendSize: 1 }] });
    expect(() => planRuns(wrongTest, HOST, {})).toThrow("m.json: runs[0].sendSize: does not apply to tcp_rr");
    const together = parse({ runs: [{ test: "tcp_rr" }, { test: "tcp_rr", threads: 4 }] });
    expect(() => planRuns(together, HOST, {})).toThrow(
      "m.json: runs[1].threads: expected at most one per flow (1), got 4",
    );
  });

  it("has a published schema that is up to date; if not: npm run build:ts && npm run schema", () => {
    const published = new URL("../../../schema/matrix.json", import.meta.url);
    expect(JSON.parse(readFileSync(published, "utf8"))).toEqual(matrixSchema());
    const valid = { defaults: { duration: "2s" }, runs: [{ test: "tcp_crr", close: "client", cpus: [1, 2] }] };
    expect(ajv.validate(matrixSchema(), valid)).toBe(true);
  });
});

describe("options of the command line", () => {
  it("must be valid and apply to some run", () => {
    const streams = parse({ runs: [{ test: "tcp_stream" }] });
    expect(() => planRuns(streams, HOST, { request: "1" })).toThrow("--request: applies only to rr, crr");
    expect(() => planRuns(streams, HOST, { duration: "x" })).toThrow("--duration: expected a time");
    expect(() => planRuns(streams, "h:80", {})).toThrow("HOST: expected a host name or an address (the port");
  });
});

describe("going on with a file", () => {
  const plan = planRuns(presetMatrix("cni", 2), HOST, {});
  const made = (index: number, state: Result["state"] = "completed"): Result => ({
    ...samples.rr,
    state,
    spec: plan[index]!.spec,
    test: plan[index]!.spec.test,
  });
  const saved = (...results: Result[]): ResultsDocument => ({ schema: "cnb-load/results/1", label: "A", results });

  it("skips what is completed, and nothing else", () => {
    const document = saved(made(2), made(0), made(5, "failed"));
    const found = findCompleted(plan, document, "f", "A");
    expect(found.map((result) => result !== undefined)).toEqual([true, false, true, false, false, false, false, false]);
    expect(found[2]).toBe(document.results[0]);
  });

  it("counts a run once that the matrix has twice", () => {
    const twice = [plan[0]!, plan[0]!];
    expect(findCompleted(twice, saved(made(0)), "f", undefined).filter((result) => result !== undefined)).toHaveLength(
      1,
    );
  });

  it("refuses a file of something else rather than losing it", () => {
    const foreign = { ...made(0), spec: resolveRunOptions({ test: "tcp_rr", host: HOST, flows: 7 }) };
    expect(() => findCompleted(plan, saved(foreign), "f", "A")).toThrow(
      "--output: cannot go on with f: it holds a run",
    );
    expect(() => findCompleted(plan, saved(), "f", "B")).toThrow('it holds results of "A", not "B"');
  });
});

describe("settling", () => {
  const crr = (options: object) => resolveRunOptions({ test: "tcp_crr", host: HOST, ...options });

  it("is for ports that TIME_WAIT keeps from the next run, and for nothing else", () => {
    const holding = crr({ close: "client", dataPort: 5000 });
    expect(settleNs(holding, holding, false)).toBe(61e9);
    expect(settleNs(holding, holding, true)).toBe(0);
    expect(settleNs(crr({}), crr({}), false)).toBe(0);
    expect(settleNs(crr({ close: "client" }), crr({ close: "client" }), false)).toBe(0);
  });
});

describe("a file of results", () => {
  it("has a published schema that is up to date; if not: npm run schema", () => {
    const published = new URL("../../../schema/results.json", import.meta.url);
    const current: unknown = JSON.parse(JSON.stringify(publishedSchemas["results.json"]));
    expect(JSON.parse(readFileSync(published, "utf8"))).toEqual(current);
  });

  it("is read back as written, one result or many", () => {
    const results = [samples.rr, samples.stream, samples.failed];
    const about = { label: "A", startedAt: samples.rr.startedAt, matrix: { name: "m", runs: [samples.rr.spec] } };
    expect(parseResults(renderResultsJson(results, about), "f")).toEqual({
      schema: "cnb-load/results/1",
      ...about,
      results,
    });
    expect(parseResults(renderJson(samples.rr), "f").results).toEqual([samples.rr]);
  });

  it.each([
    ["", "f: expected a result (schema cnb-load/result/1) as --json writes it"],
    ["[]", "f: expected a result"],
    ['{"schema":"cnb-load/result/2"}', "f: expected a result"],
    ['{"schema":"cnb-load/results/1"}', "f: document: results is missing"],
    ['{"schema":"cnb-load/results/1","results":[{}]}', "f: document.results[0]: schema is missing"],
    [JSON.stringify({ ...samples.rr, window: { durationNs: "1" } }), "f: result.window.durationNs: expected integer"],
  ])("is refused with file and expectation (case %#)", (text, message) => {
    expect(() => parseResults(text, "f")).toThrow(message);
  });
});
