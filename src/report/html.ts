/** One page that is whole in itself: style and charts inside, no script, nothing loaded. */
import { fairnessOf } from "../result/fairness.js";
import type { Result } from "../result/model.js";
import { curves, groupedBars, overTime, stackedBars, tailCurve } from "./charts.js";
import { type Configuration, configurations } from "./configurations.js";
import { type Draw, loadDraw } from "./draw.js";
import {
  cpuTable,
  fairnessTable,
  type FigureTable,
  formatTarget,
  hostTable,
  rateTable,
  sharedWarnings,
  withoutEmptyColumns,
} from "./figures.js";
import {
  barSeries,
  CPU_PARTS,
  curveLines,
  fairnessLines,
  rateLines,
  stacksOf,
  TEST_TITLES,
  testsOf,
} from "./html-data.js";
import { escapeHtml, htmlTable } from "./html-text.js";
import { card, cards, htmlPage, section } from "./page.js";
import { type LabelledRun, labelsOf } from "./runs.js";
import { headline } from "./summary.js";
import { formatBitRate, formatCount, formatRate, formatTime } from "./units.js";

/** More small charts than this are too many to read and to load; the tables still have every run. */
const MAX_SMALL_CHARTS = 12;
/** Rows of the table behind a chart over time. */
const MAX_TABLE_ROWS = 30;

interface Page {
  draw: Draw;
  groups: Configuration[];
  /** Every run, in the order of the configurations. */
  runs: LabelledRun[];
  labels: string[];
}

/** Throws ERR_PLATFORM where the charting library is not installed. */
export async function renderHtml(runs: readonly LabelledRun[]): Promise<string> {
  const groups = configurations(runs);
  const ordered = groups.flatMap((group) => group.runs);
  const page: Page = { draw: await loadDraw(), groups, runs: ordered, labels: labelsOf(ordered) };
  const title = `cnb-load: ${labelsOf(runs).join(" and ")}`;
  const body = [
    `<header><h1>${escapeHtml(title)}</h1><p class="note">${escapeHtml(subtitle(runs))}</p></header>`,
    `<main>`,
    rates(page),
    cpu(page),
    await latency(page),
    time(page),
    fairness(page),
    flameGraphs(page),
    warnings(page),
    hosts(runs),
    `</main>`,
  ];
  return htmlPage(title, body);
}

function subtitle(runs: readonly LabelledRun[]): string {
  const days = [...new Set(runs.map(({ result }) => result.startedAt.slice(0, 10)))].toSorted();
  const span = days.length > 1 ? `${days[0] ?? ""} to ${days.at(-1) ?? ""}` : (days[0] ?? "");
  return `${runs.length} ${runs.length === 1 ? "run" : "runs"}, ${span}`;
}

function nameOf({ groups, labels }: Page): (run: LabelledRun) => string {
  const names = new Map(groups.flatMap(({ name, runs }) => runs.map((run) => [run, name] as const)));
  return (run) => (labels.length === 1 ? (names.get(run) ?? "") : `${names.get(run) ?? ""}: ${run.label}`);
}

function rates(page: Page): string {
  const figures = testsOf(page.groups).map((group) => {
    const title = TEST_TITLES[group.test];
    const chart = groupedBars(group.categories, barSeries(group, page.labels));
    const own = group.groups.flatMap(({ runs }) => runs);
    return card(
      page.draw,
      title,
      `Bars: ${title}. The table below has the figures.`,
      chart,
      rateTable(own, nameOf(page)),
    );
  });
  const whiskers = page.runs.some(({ result }) => result.repeat?.halfWidthPct !== undefined)
    ? " Whiskers: the confidence interval of the mean of several runs."
    : "";
  return section("Rates", `Longer is better. Throughput is goodput at the receiver.${whiskers}`, cards(figures));
}

function cpu(page: Page): string {
  const figures = testsOf(page.groups).flatMap((group) => {
    const stacks = stacksOf(group, page.labels.length > 1);
    const own = group.groups.flatMap(({ runs }) => runs);
    const target = own.map(({ result }) => result.cpu.normalized).find((normalized) => normalized !== undefined);
    if (stacks.length === 0 || target === undefined) return [];
    const title = `${TEST_TITLES[group.test]}: cores at ${formatTarget(target)}`;
    const about = `Stacked bars: ${title}, client and server. The table below has the figures.`;
    return [card(page.draw, title, about, stackedBars(CPU_PARTS, stacks), cpuTable(own, nameOf(page)))];
  });
  const note =
    "Shorter is better. CPU cores of the whole host, scaled linearly from the measured rate to one rate for all: an extrapolation to compare by, no measurement.";
  return section("CPU, normalised", note, cards(figures));
}

async function latency(page: Page): Promise<string> {
  const figures: string[] = [];
  const measured = page.groups.filter(({ runs }) => runs.some(({ result }) => (result.latency?.count ?? 0) > 0));
  for (const { name, runs } of measured.slice(0, MAX_SMALL_CHARTS)) {
    const series = await curveLines(runs, page.labels);
    const about = `Curves: latency by percentile of ${name}. The table below has the figures.`;
    const label = (run: LabelledRun): string => run.label;
    figures.push(card(page.draw, name, about, tailCurve(series, formatAxisTime), rateTable(runs, label)));
  }
  const note = "Lower is better. Every transaction of the window; each step to the right is a tenfold rarer one.";
  return section("Latency", `${note}${leftOut(measured.length)}`, cards(figures));
}

function time(page: Page): string {
  const shown = page.groups.filter(({ runs }) => runs.some(({ result }) => result.intervals.length > 1));
  const figures = shown.slice(0, MAX_SMALL_CHARTS).map(({ name, test, runs }) => {
    const bulk = test === "tcp_stream" || test === "tcp_maerts";
    const chart = overTime(rateLines(runs, page.labels), bulk ? shortBitRate : shortRate);
    const about = `Lines: rate of ${name} over time. The table below has figures.`;
    return card(page.draw, name, about, chart, timeTable(runs));
  });
  return section("Over time", leftOut(shown.length).trim(), cards(figures));
}

function fairness(page: Page): string {
  const shown = page.groups.filter(({ runs }) => runs.some(({ result }) => fairnessOf(result.flows) !== undefined));
  const figures = shown.slice(0, MAX_SMALL_CHARTS).map(({ name, runs }) => {
    const chart = curves(fairnessLines(runs, page.labels), "flows with less, %", String, (share) => `${share}x`);
    const about = `Curves: each flow's rate over the mean of all, of ${name}. The table below has Jain's index.`;
    return card(page.draw, name, about, chart, fairnessTable(runs));
  });
  const note = "Each flow's rate over the mean of all flows, the least first: level at 1x where all were served alike.";
  return section("Fairness", `${note}${leftOut(shown.length)}`, cards(figures));
}

function leftOut(configurations: number): string {
  const left = configurations - MAX_SMALL_CHARTS;
  return left > 0 ? ` The first ${MAX_SMALL_CHARTS} configurations; ${left} more are in the tables of rates.` : "";
}

/** A row per interval of the longest run; of many, evenly chosen ones. */
function timeTable(runs: readonly LabelledRun[]): FigureTable {
  const longest = runs.map(({ result }) => result.intervals).reduce((a, b) => (b.length > a.length ? b : a), []);
  const step = Math.ceil(longest.length / MAX_TABLE_ROWS);
  const rows = longest.flatMap((interval, index) => {
    if (index % step !== 0) return [];
    const at = `${interval.run === undefined ? "" : `run ${interval.run}, `}${(interval.startNs / 1e9).toFixed(1)} s`;
    return [[at, ...runs.map(({ result }) => headlineAt(result, index))]];
  });
  return { head: ["from", ...runs.map(({ label }) => label)], rows };
}

function headlineAt({ intervals }: Result, index: number): string | undefined {
  const interval = intervals[index];
  return interval === undefined ? undefined : headline(interval);
}

function warnings(page: Page): string {
  const found = sharedWarnings(page.runs, nameOf(page));
  if (found.length === 0) return "";
  const items = found.map(({ code, message, advice, runs }) => {
    const which = runs.length === page.runs.length ? "every run" : runs.join("; ");
    const head = `<strong>${escapeHtml(code)}</strong> <span class="note">${escapeHtml(which)}</span>`;
    return `<li>${head}<br>${escapeHtml(message)}. ${escapeHtml(advice)}</li>`;
  });
  return section("Warnings", "Reasons why a figure may not mean what it seems to.", `<ul>${items.join("\n")}</ul>`);
}

function flameGraphs(page: Page): string {
  const name = nameOf(page);
  const items = page.runs.flatMap((run) => {
    const { profile } = run.result;
    if (profile === undefined) return [];
    const samples = `${formatCount(profile.samples)} samples`;
    return [
      `<li><a href="${escapeHtml(encodeURI(profile.svg))}">${escapeHtml(name(run))}</a> <span class="note">${samples}</span></li>`,
    ];
  });
  const note =
    "Files beside this page: what the CPUs of the client's host did within the window, kernel and user space.";
  return items.length === 0 ? "" : section("Flame graphs", note, `<ul>${items.join("\n")}</ul>`);
}

function hosts(runs: readonly LabelledRun[]): string {
  return section("Hosts", "", htmlTable(withoutEmptyColumns(hostTable(runs)), "Hosts"));
}

/** "10 us", not "10.00 us": an axis stands at round figures. */
const plain = (formatted: string): string => formatted.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");
const formatAxisTime = (ns: number): string => plain(formatTime(ns));
const shortRate = (rate: number): string => plain(formatRate(rate));
const shortBitRate = (rate: number): string => plain(formatBitRate(rate)).replace("bit/s", "b/s");
