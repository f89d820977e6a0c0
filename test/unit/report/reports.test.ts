import { describe, expect, it } from "vitest";
import { renderCsv } from "../../../src/report/csv.js";
import { configurations } from "../../../src/report/configurations.js";
import { renderHtml } from "../../../src/report/html.js";
import { renderLines } from "../../../src/report/line.js";
import { renderMarkdown } from "../../../src/report/markdown.js";
import { percentileCurve } from "../../../src/report/percentiles.js";
import { renderPlain } from "../../../src/report/plain.js";
import { type LabelledRun, labelRuns } from "../../../src/report/runs.js";
import { encodeHdr } from "../../../src/result/hdr-encode.js";
import type { LatencySummary, Result } from "../../../src/result/model.js";
import * as samples from "./samples.js";

const HOSTILE = `<img src=x onerror="alert(1)">|{b}&'`;

function faster({ throughput, transactions, ...rest }: Result): Result {
  return {
    ...rest,
    ...(throughput !== undefined && { throughput: { ...throughput, bitsPerSecond: 11e9 } }),
    ...(transactions !== undefined && { transactions: { ...transactions, perSecond: transactions.perSecond * 1.25 } }),
  };
}

const all = Object.values(samples);
const two: LabelledRun[] = [
  ...all.map((result) => ({ label: "A", result })),
  ...all.map((result) => ({ label: "B", result: faster(result) })),
];

/** With a name from outside wherever a result may carry one. */
const hostile: LabelledRun[] = [samples.rr, samples.stream].map((result) => ({
  label: HOSTILE,
  result: {
    ...result,
    warnings: [{ code: HOSTILE, message: HOSTILE, advice: HOSTILE }],
    spec: { ...result.spec, congestion: HOSTILE },
    host: { local: { ...result.host.local, hostname: HOSTILE, kernel: HOSTILE }, remote: result.host.local },
  },
}));

describe("labels", () => {
  const document = { schema: "cnb-load/results/1", results: [samples.rr] } as const;
  const labels = (files: { path: string; document: { label?: string } }[]): string[] =>
    labelRuns(
      files.map(({ path, document: own }) => ({ path, document: { ...document, ...own, results: [samples.rr] } })),
    ).map(({ label }) => label);

  it("are the file's own, else its name, else its path where two have one name", () => {
    expect(
      labels([
        { path: "x/a.json", document: { label: "net A" } },
        { path: "x/b.json", document: {} },
      ]),
    ).toEqual(["net A", "b"]);
    expect(
      labels([
        { path: "x/a.json", document: {} },
        { path: "y/a.json", document: {} },
      ]),
    ).toEqual(["a (x/a.json)", "a (y/a.json)"]);
  });
});

describe("configurations", () => {
  it("bring runs of one kind together, and name only what tells them apart", () => {
    const small = { ...samples.rr, spec: { ...samples.rr.spec, host: "10.9.9.9", requestBytes: 65_536 } };
    const runs = [...two, { label: "A", result: small }];
    expect(configurations(runs).map(({ name, runs: own }) => [name, own.map(({ label }) => label)])).toEqual([
      ["stream, 2 flows, --zerocopy msg", ["A", "B"]],
      ["stream, 2 flows, --zerocopy off", ["A", "B"]],
      ["maerts, 32 flows", ["A", "B"]],
      ["rr, 1 flow, --request 1", ["A", "B"]],
      ["rr, 1 flow, --request 64K", ["A"]],
      ["crr, 32 flows", ["A", "B"]],
    ]);
  });

  it("take two networks' hosts, ports and CPUs for the same", () => {
    const other = { ...samples.rr, spec: { ...samples.rr.spec, host: "10.9.9.9", port: 1, cpus: [3] } };
    expect(
      configurations([
        { label: "A", result: samples.rr },
        { label: "B", result: other },
      ]),
    ).toHaveLength(1);
  });

  it("number the runs that one label has twice", () => {
    const runs = [1, 2, 3].map(() => ({ label: "A", result: samples.rr }));
    expect(configurations(runs)[0]?.runs.map(({ label }) => label)).toEqual(["A", "A #2", "A #3"]);
  });
});

describe("runs of one test with as many flows", () => {
  const { spec } = samples.rr;
  const variants = [
    samples.rr,
    { ...samples.rr, spec: { ...spec, requestBytes: 65_536, ratePerSecond: 2000, coalesce: true, cpus: [2, 3] } },
    { ...samples.rr, spec: { ...spec, flows: 64, requestBytes: 9 } },
    samples.crr,
  ].map((result) => ({ label: "A", result }));
  const names = ["tcp_rr --cpus auto --request 1 --rate off", "tcp_rr --cpus 2-3 --request 64K --coalesce --rate 2k/s"];

  it("are told apart in a table by the options that differ, and nothing else is named", () => {
    const rows = renderPlain(variants).split("\n").slice(2, 6);
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual([...names, "tcp_rr", "tcp_crr"]);
  });

  it("are told apart in lines", () => {
    const lines = renderLines(variants).split("\n");
    expect(lines[0]).toMatch(/^A: tcp_rr, 1 flow, --cpus auto --request 1 --rate off: /);
    expect(lines[1]).toMatch(/^A: tcp_rr, 1 flow, --cpus 2-3 --request 64K --coalesce --rate 2k\/s: /);
    expect(lines[2]).toMatch(/^A: tcp_rr, 64 flows: /);
  });
});

describe("text", () => {
  it("is a table per label as in its golden file", async () => {
    await expect(renderPlain(two)).toMatchFileSnapshot("golden/two.txt");
  });

  it("does not let a label drive the terminal", () => {
    expect(renderPlain(two.map(({ result }) => ({ label: "a\u001b[2J", result })))).not.toContain("\u001b");
  });
});

describe("markdown", () => {
  it("is as in its golden file", async () => {
    await expect(renderMarkdown(two)).toMatchFileSnapshot("golden/two.md");
  });

  it("shows names from outside as text", () => {
    const text = renderMarkdown(hostile);
    expect(text).not.toMatch(/(?<!\\)<img/);
    const rows = text.split("\n").filter((line) => line.startsWith("| "));
    const columns = rows.map((row) => row.replaceAll("\\|", "").split("|").length);
    // Three tables: each has one width.
    expect(new Set(columns).size).toBeLessThanOrEqual(3);
  });
});

describe("CSV", () => {
  it("is as in its golden file, a row per run with paths of the result as names", async () => {
    const text = renderCsv(two);
    await expect(text).toMatchFileSnapshot("golden/two.csv");
    expect(text.split("\r\n")).toHaveLength(two.length + 2);
    expect(text).toContain("throughput.bitsPerSecond,");
  });

  it("quotes, and runs no formula", () => {
    const [, row = ""] = renderCsv([{ label: '=HYPERLINK("x")', result: samples.rr }]).split("\r\n");
    expect(row.startsWith(`"'=HYPERLINK(""x"")",2026-01-02`)).toBe(true);
  });
});

describe("HTML", () => {
  it("is as in its golden file, charts aside", async () => {
    const page = await renderHtml(two);
    await expect(
      page.replace(/<svg[^]*?<\/svg>/g, "<svg></svg>").replace(/<style>[^]*?<\/style>/, ""),
    ).toMatchFileSnapshot("golden/two.html");
  });

  it("draws charts of figures, in the page's colours, with ids of their own", async () => {
    const page = await renderHtml(two);
    const charts = page.match(/<svg[^]*?<\/svg>/g) ?? [];
    expect(charts.length).toBe(11);
    expect(charts.join("")).not.toMatch(/NaN|Infinity|undefined|#fe00/);
    expect(charts.join("")).toContain("var(--label1)");
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const tables = page.match(/<details>/g) ?? [];
    expect(tables).toHaveLength(charts.length);
    expect(page.match(/role="img" aria-label="[^"]+"/g)).toHaveLength(charts.length);
  });

  it("loads nothing and runs nothing", async () => {
    const page = await renderHtml(two);
    expect(page).not.toMatch(/<script|<iframe|@import|src=|href="(?!data:)/);
    expect(page.replace(/xmlns(:xlink)?="[^"]*"/g, "")).not.toMatch(/https?:/);
  });

  it("shows names from outside as text, in tables and charts", async () => {
    const page = await renderHtml(hostile);
    expect(page).not.toMatch(/<img|onerror="/);
    expect(page).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
    const other = hostile.map(({ result }) => ({ label: "B", result }));
    expect((await renderHtml([...hostile, ...other])).match(/<svg[^]*?<\/svg>/g)?.join("")).toMatch(/&lt;img src=x/);
    expect(await renderHtml([...hostile, ...other])).not.toMatch(/<img|onerror="/);
  });

  it("draws whiskers where a result is of several runs", async () => {
    const repeat = { runs: 5, meanPerSecond: 45_678, confidence: 0.95, halfWidthPct: 4 };
    const plain = await renderHtml([{ label: "A", result: samples.rr }]);
    const repeated = await renderHtml([{ label: "A", result: { ...samples.rr, repeat } }]);
    const strokes = (page: string): number => page.match(/stroke="var\(--ink\)"/g)?.length ?? 0;
    expect(strokes(repeated) - strokes(plain)).toBe(3);
    expect(repeated).toContain("±4.0 %");
  });

  it("stays small and quick with many runs", async () => {
    const runs = Array.from({ length: 100 }, (_, index) => index).flatMap((flows) =>
      ["A", "B"].map((label) => ({ label, result: { ...samples.rr, spec: { ...samples.rr.spec, flows: flows + 1 } } })),
    );
    expect((await renderHtml(runs)).length).toBeLessThan(1_500_000);
  });
});

describe("the latency curve", () => {
  it("reads the histogram and ends where one transaction is left", async () => {
    // 990 values of 1000 ns and 10 of 2000: index = value below 2048.
    const counts = Array.from({ length: 1001 }, (_, index) => (index === 0 ? 990 : index === 1000 ? 10 : 0));
    const hdr = encodeHdr({ first: 1000, counts, minNs: 1000, maxNs: 2000, sumNs: 0 });
    const latency: LatencySummary = { ...(samples.rr.latency as LatencySummary), hdr, count: 1000, maxNs: 2000 };
    const curve = await percentileCurve(latency);
    expect(curve[0]).toEqual({ share: 0, ns: 1000 });
    expect(curve.at(-1)?.share).toBeCloseTo(0.999, 6);
    expect(curve.at(-1)?.ns).toBe(2000);
    for (const { share, ns } of curve) expect(ns).toBe(share > 0.9901 ? 2000 : 1000);
  });

  it("falls back to the summary where the histogram cannot be read", async () => {
    const latency = samples.rr.latency as LatencySummary;
    const curve = await percentileCurve({ ...latency, hdr: "nonsense" });
    expect(curve).toContainEqual({ share: 0.99, ns: latency.p99Ns });
  });
});
