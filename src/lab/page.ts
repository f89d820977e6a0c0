/** The page of a lab: charts and findings in the order of the article, then what was built and how to do it again. */
import { type Result, summarize } from "../index.js";
import {
  type BarSeries,
  card,
  cards,
  type Chart,
  configurations,
  CPU_PARTS,
  cpuTable,
  curveLines,
  curves,
  type Draw,
  escapeHtml,
  type FigureTable,
  formatBytes,
  formatRate,
  formatTarget,
  formatTime,
  groupedBars,
  headline,
  htmlPage,
  htmlTable,
  type LabelledRun,
  loadDraw,
  rateTable,
  section,
  sharedWarnings,
  stackedBars,
  stacksOf,
  tailCurve,
  testsOf,
} from "../report/drawing.js";
import type { Cell, FlameGraph, LabDocument, LabTest, Meltdown, PathReport } from "./document.js";
import { countOf, type Finding, findingsOf, meltdownText, outcomesOf, rateOf } from "./findings.js";
import { cellsOf } from "./lab.js";
import { isAttributed } from "./placement.js";

const TITLES: Record<LabTest, string> = {
  stream: "Throughput (TCP_STREAM)",
  rr: "Requests and responses (TCP_RR)",
  crr: "Connections (TCP_CRR)",
};

interface Page {
  document: LabDocument;
  draw: Draw;
  cells: Cell[];
  /** Of every path and cell, all runs as one. */
  runs: (LabelledRun & Cell)[];
  findings: Finding[];
}

/** Throws ERR_PLATFORM where the charting library is not installed. */
export async function renderPage(document: LabDocument, files: ReadonlyMap<string, string>): Promise<string> {
  const cells = cellsOf(document.options);
  const runs: Page["runs"] = [];
  for (const { name } of document.paths) {
    for (const { path, test, flows, results } of document.measurements) {
      if (path === name) runs.push({ label: name, test, flows, result: await summarize(results) });
    }
  }
  const page: Page = { document, draw: await loadDraw(), cells, runs, findings: await findingsOf(document, cells) };
  const tests = await Promise.all(document.options.tests.map((test) => testSection(page, test)));
  const title = "Data paths of container networks on one machine";
  const body = [
    `<header><h1>${title}</h1><p class="note">${escapeHtml(subtitle(document))}</p></header>`,
    "<main>",
    overview(page),
    reading(document),
    ...tests,
    flameGraphs(document, files),
    pathSection(document),
    warnings(page),
    environment(document),
    reproduction(document),
    "</main>",
  ];
  return htmlPage(title, body);
}

function subtitle({ startedAt, options, state, measurements }: LabDocument): string {
  const { durationNs, mtu, services, policies } = options;
  const runs = Math.max(0, ...measurements.map(({ results }) => results.length));
  const said = `${startedAt.slice(0, 10)}, ${runs} runs of ${formatTime(durationNs)}, interleaved, MTU ${mtu}, ${services} services, ${policies} policies`;
  return state === "aborted" ? `${said}; interrupted` : said;
}

const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

function overview({ document, findings }: Page): string {
  const rows = outcomesOf(findings).map(({ claim, flows, outcome, detail }) => [
    claim,
    countOf(flows),
    outcome,
    detail,
  ]);
  const claims =
    rows.length === 0 ? "" : htmlTable({ head: ["the article says", "with", "here", "figures"], rows }, "Orderings");
  const states = document.paths.map(({ name, state, variant, reason }) => [name, state, variant, reason]);
  const table = htmlTable({ head: ["path", "state", "variant", "reason"], rows: states }, "Paths");
  const intervals = findings.reduce((sum, { metrics }) => sum + metrics.length, 0);
  const note = `Whether the orderings that the article explains are seen on this machine with confidence. "Not seen" is no proof of their absence, and of the ${intervals} intervals on this page one in twenty misses by chance: doubt what one test alone shows.`;
  return section("What is seen here", escapeHtml(note), `${claims}<h3>Paths</h3>${table}`);
}

/** What one machine can tell of two, and what not. */
function reading({ placement }: LabDocument): string {
  const shared =
    "Caches, memory, the clock, the hypervisor and the kernel's global tables (conntrack's buckets, memory accounting) are shared by both nodes.";
  const text = isAttributed(placement)
    ? `The client node's loops and stack work on CPU ${placement.client ?? ""}, the server node's on CPU ${placement.server ?? ""}: programs are pinned there, and receive packet steering moves what arrives over the wire to the receiving node's CPU. CPU figures are those of that CPU alone. What else ran on it counts, too: interrupts, kernel threads, the lab's own few messages per run.`
    : "Only one CPU may be used: both nodes share it. CPU figures are those of the whole machine, and hold the work of both nodes.";
  return section("How to read it", "", paragraph(`${text} ${shared}`));
}

async function testSection(page: Page, test: LabTest): Promise<string> {
  const own = page.runs.filter((run) => run.test === test);
  if (own.length === 0) return "";
  const figures = [rateChart(page, test, own)];
  for (const flows of new Set(own.map((run) => run.flows))) {
    const same = own.filter((run) => run.flows === flows);
    figures.push(...cpuCharts(page, test, flows, same));
    if (test !== "stream") figures.push(await latencyChart(page, test, flows, same));
  }
  const melt = test === "crr" ? meltdownPart(page) : "";
  const told = page.findings.filter((finding) => finding.test === test).map(({ text }) => paragraph(text));
  const note =
    "Bars: longer is more; whiskers are the 95 % confidence interval of the mean. CPU is scaled linearly to one rate for all: to compare by, no promise. Curves: latency by percentile. Two paths are compared round by round.";
  return section(TITLES[test], note, `${cards(figures)}${told.join("\n")}${melt}`);
}

const nameOf = ({ label }: LabelledRun): string => label;

function rateChart({ draw }: Page, test: LabTest, runs: readonly (LabelledRun & Cell)[]): string {
  const labels = [...new Set(runs.map(nameOf))];
  const counts = [...new Set(runs.map(({ flows }) => flows))];
  const series = counts.map((flows, place): BarSeries => ({
    name: countOf(flows),
    place,
    bars: labels.map((label) => barOf(runs.find((run) => run.label === label && run.flows === flows)?.result)),
  }));
  const named = (run: LabelledRun): string => `${run.label}, ${countOf(run.result.spec.flows)}`;
  return card(
    draw,
    TITLES[test],
    `Bars: ${TITLES[test]}, by path`,
    groupedBars(labels, series),
    rateTable(runs, named),
  );
}

function barOf(result: Result | undefined): BarSeries["bars"][number] {
  const value = result?.throughput?.bitsPerSecond ?? result?.transactions?.perSecond;
  if (result === undefined || value === undefined) return undefined;
  const pct = result.repeat?.halfWidthPct;
  return { value, text: headline(result), ...(pct !== undefined && { halfWidth: (value * pct) / 100 }) };
}

function cpuCharts({ draw }: Page, test: LabTest, flows: number, runs: readonly LabelledRun[]): string[] {
  // Encrypted paths state their CPU at a rate of their own.
  const targets = new Map<number, LabelledRun[]>();
  for (const run of runs) {
    const target = run.result.cpu.normalized?.target;
    if (target !== undefined) targets.set(target, [...(targets.get(target) ?? []), run]);
  }
  return [...targets.values()].map((own) => {
    const [first] = own;
    const normalized = first?.result.cpu.normalized;
    const at = normalized === undefined ? "" : formatTarget(normalized);
    const title = `${TITLES[test]}, ${countOf(flows)}: CPUs at ${at}`;
    const [group] = testsOf(configurations(own));
    const stacks = group === undefined ? [] : stacksOf({ ...group, categories: [] }, true);
    const named = stacks.map((stack) => ({ ...stack, category: stack.category.replace(/^, /, "") }));
    return card(draw, title, `Stacked bars: ${title}`, stackedBars(CPU_PARTS, named), cpuTable(own, nameOf));
  });
}

async function latencyChart(
  { draw }: Page,
  test: LabTest,
  flows: number,
  runs: readonly LabelledRun[],
): Promise<string> {
  const title = `${TITLES[test]}, ${countOf(flows)}: latency`;
  const lines = await curveLines(runs, runs.map(nameOf));
  return card(draw, title, `Curves: ${title}`, tailCurve(lines, formatTime), rateTable(runs, nameOf));
}

function meltdownPart({ document, draw }: Page): string {
  const { meltdown, meltdownProblem } = document;
  if (meltdown === undefined || meltdown.points.length === 0)
    return meltdownProblem === undefined ? "" : paragraph(`Conntrack melt-down: not measured: ${meltdownProblem}`);
  const title = `TCP_CRR with ${countOf(meltdown.flows)} against the fill of the conntrack table`;
  const about = `nf_conntrack_max is ${meltdown.max}, the table has ${meltdown.buckets} buckets; both belong to the whole machine and are left as they are. The table of the server's node is filled with established connections before each run.`;
  const figure = card(draw, title, `Curves: ${title}`, meltdownChart(meltdown), meltdownTable(meltdown));
  return `<h3>Conntrack melt-down</h3>${paragraph(about)}${paragraph(meltdownText(document) ?? "")}${cards([figure])}`;
}

function meltdownChart({ points }: Meltdown): Chart {
  const names = [...new Set(points.map(({ path }) => path))];
  const lines = names.map((name, place) => ({
    ...{ name, place },
    points: points
      .filter(({ path }) => path === name)
      .map(({ fill, results }): [number, number] => [fill * 100, rateOf(results) ?? 0]),
  }));
  return curves(lines, "table full, % of nf_conntrack_max", String, formatRate);
}

function meltdownTable({ points }: Meltdown): FigureTable {
  const head = ["path", "entries before", "connections", "p99", "found no room", "runs failed"];
  return {
    head,
    rows: points.map(({ path, entries, results, dropped, failed }) => {
      const rate = rateOf(results);
      const worst = Math.max(...results.map(({ latency }) => latency?.p99Ns ?? 0));
      const p99 = worst > 0 ? formatTime(worst) : undefined;
      return [
        path,
        String(entries),
        rate === undefined ? undefined : formatRate(rate),
        p99,
        String(dropped),
        String(failed),
      ];
    }),
  };
}

/** Two paths of which the article shows both graphs: the receiving side with and without the host's stack. */
const SIDE_BY_SIDE = ["ebpf-legacy", "ebpf-host-routing"];

function flameGraphs({ flameGraphs: graphs, profileProblem }: LabDocument, files: ReadonlyMap<string, string>): string {
  const problem = profileProblem === undefined ? "" : paragraph(profileProblem);
  if (graphs.length === 0) return section("Flame graphs", "", problem);
  const item = ({ path, cell, side, svg, folded, speedscope, samples }: FlameGraph): string => {
    const links = [
      [svg, "flame graph"],
      [folded, "folded stacks"],
      [speedscope, "speedscope"],
    ].map(([file = "", text = ""]) => `<a href="${escapeHtml(file)}">${text}</a>`);
    return `<li>${escapeHtml(`${path}, ${cell.test}, ${countOf(cell.flows)}, ${side} node`)}: ${links.join(", ")} (${samples} samples)</li>`;
  };
  const shown = graphs.filter(
    ({ path, cell, side }) => SIDE_BY_SIDE.includes(path) && cell.test !== "stream" && side === "server",
  );
  const pictures = shown.map(({ path, cell, svg }) => {
    const title = `${path}, ${cell.test}, ${countOf(cell.flows)}, server node`;
    return `<figure><figcaption><h3>${escapeHtml(title)}</h3></figcaption>${files.get(svg) ?? ""}</figure>`;
  });
  const note = "perf samples the two nodes' CPUs while the window of a run is open that counts for nothing else.";
  const list = `<details><summary>All of them</summary><ul>${graphs.map(item).join("\n")}</ul></details>`;
  return section("Flame graphs", note, `${problem}${pictures.join("\n")}${list}`);
}

function pathSection({ paths }: LabDocument): string {
  const one = ({ name, models, builds, differs, evidence, variant }: PathReport): string => {
    const proof =
      evidence.length === 0 ? "" : `<ul>${evidence.map((said) => `<li>${escapeHtml(said)}</li>`).join("")}</ul>`;
    const parts = [
      `<h3>${escapeHtml(name)}</h3>`,
      paragraph(`Models ${models}.`),
      paragraph(`Built from ${builds}.`),
      paragraph(`Differs: ${differs}.`),
      ...(variant === undefined ? [] : [paragraph(`Variant: ${variant}.`)]),
      ...(proof === "" ? [] : [`<p>Seen before it was measured:</p>${proof}`]),
    ];
    return parts.join("");
  };
  return section("The paths", "", paths.map(one).join("\n"));
}

function warnings({ runs, document }: Page): string {
  const named = (run: LabelledRun): string => `${run.label}, ${run.result.test}, ${countOf(run.result.spec.flows)}`;
  // That both ends are one host is the lab's idea, and what it means for CPU figures is said above.
  const expected = isAttributed(document.placement) ? ["SAME_HOST"] : [];
  const found = sharedWarnings(runs, named).filter(({ code }) => !expected.includes(code));
  const items = found.map(({ code, message, advice, runs: which }) => {
    const where = which.length === runs.length ? "every run" : which.join("; ");
    return `<li><strong>${escapeHtml(code)}</strong> <span class="note">${escapeHtml(where)}</span><br>${escapeHtml(message)}. ${escapeHtml(advice)}</li>`;
  });
  return section("Warnings", "", items.length === 0 ? "" : `<ul>${items.join("\n")}</ul>`);
}

function environment({ environment: machine }: LabDocument): string {
  const rows = [
    ["kernel", machine.kernel],
    ["CPU", `${machine.cpus} x ${machine.cpuModel}`],
    ["memory", formatBytes(machine.memoryBytes)],
    ["Node.js", machine.node],
    ["cnb-load", machine.version],
    ...Object.entries(machine.tools),
  ];
  return section("Environment", "", htmlTable({ head: ["", "host"], rows }, "Environment"));
}

function reproduction({ command }: LabDocument): string {
  const text = `As root: <code>${escapeHtml(command)}</code>. Each path's results are beside this page as <code>PATH.json</code>: <code>cnb-load report</code> and <code>cnb-load compare</code> read them. <code>lab.json</code> has everything.`;
  return section("How to reproduce", "", `<p>${text}</p>`);
}
