import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderJson, renderResultsJson } from "../../src/report/json.js";
import * as samples from "../unit/report/samples.js";
import { cli } from "./support.js";

let folder: string;
let one: string;
let many: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-report-"));
  [one, many] = [join(folder, "one.json"), join(folder, "many.json")];
  await writeFile(one, renderJson(samples.rr));
  await writeFile(many, renderResultsJson([samples.rr, samples.crr], { label: "net A" }));
});
afterAll(() => rm(folder, { recursive: true }));

describe("cnb-load report", () => {
  it("shows one result in full and several as tables", async () => {
    const single = await cli("report", one);
    expect([single.stderr, single.code]).toEqual(["", 0]);
    expect(single.stdout).toMatch(/^tcp_rr to 10\.0\.0\.2: 1 flow/);
    const { stdout, code } = await cli("report", one, many);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one\ntest .*\ntcp_rr .*\n\nnet A\ntest .*\ntcp_rr .*\ntcp_crr /);
  });

  it.each([
    ["line", /^net A: tcp_\w+, [^\n]+: [^\n]+\/s[^\n]*\n/],
    ["markdown", /^# net A and one\n/],
    ["csv", /^label,startedAt,.*\r\nnet A,/],
    ["html", /^<!doctype html>\n[^]*<\/html>\n$/],
  ])("writes %s to stdout or into a file", async (format, start) => {
    const { stdout, stderr, code } = await cli("report", many, one, "--format", format);
    expect([stderr, code]).toEqual(["", 0]);
    expect(stdout).toMatch(start);
    const output = join(folder, `report.${format}`);
    expect(await cli("report", many, one, "--format", format, "--output", output)).toMatchObject({
      stdout: "",
      code: 0,
    });
    expect(await readFile(output, "utf8")).toBe(stdout);
  });

  it("names the file and what was expected of it", async () => {
    const wrong = join(folder, "wrong.json");
    const cases: [string, string][] = [
      ["hello", "expected a result (schema cnb-load/result/1)"],
      [JSON.stringify({ ...samples.rr, window: {} }), "result.window: durationNs is missing"],
    ];
    for (const [text, message] of cases) {
      await writeFile(wrong, text);
      const { stdout, stderr, code } = await cli("report", one, wrong);
      expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
      expect(stderr).toContain(`cnb-load: ${wrong}: ${message}`);
    }
    await writeFile(wrong, renderResultsJson([]));
    expect(await cli("report", wrong)).toMatchObject({
      code: 2,
      stderr: `cnb-load: ${wrong}: no results in there yet\n`,
    });
    expect((await cli("report", "/nowhere")).stderr).toMatch(/^cnb-load: cannot read \/nowhere: ENOENT/);
    expect((await cli("report")).stderr).toMatch(/^cnb-load: FILE: missing; usage: cnb-load report FILE/);
  });

  it("refuses a format that it does not know", async () => {
    const { stderr, code } = await cli("report", one, "--format", "pdf");
    expect([stderr, code]).toEqual([
      'cnb-load: --format: expected one of text, line, markdown, csv, html, got "pdf"\n',
      2,
    ]);
    expect((await cli("report", one, "--format", "htm")).stderr).toContain("did you mean html?");
  });

  it("says where a report cannot be written", async () => {
    const { stderr, code } = await cli("report", one, "--output", join(folder, "missing/r.txt"));
    expect(code).toBe(2);
    expect(stderr).toContain("--output: expected a file that can be written");
  });
});
