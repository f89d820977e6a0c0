/** From runs to what the page's charts draw. */
import { TESTS } from "../options/names.js";
import type { TestName } from "../options/spec.js";
import { fairnessOf } from "../result/fairness.js";
import type { CpuUsage, Interval, Result } from "../result/model.js";
import type { Bar, BarSeries, Line, Stack } from "./charts.js";
import type { Configuration } from "./configurations.js";
import { percentileCurve } from "./percentiles.js";
import type { LabelledRun } from "./runs.js";
import { headline } from "./summary.js";
import { formatCores } from "./units.js";

/** Points of a line over time; of more intervals, evenly chosen ones. */
const MAX_POINTS = 200;

export const TEST_TITLES: Record<TestName, string> = {
  tcp_stream: "Throughput to the server (stream)",
  tcp_maerts: "Throughput from the server (maerts)",
  tcp_rr: "Requests per second (rr)",
  tcp_crr: "Connections per second (crr)",
  tcp_cc: "Connections without data per second (cc)",
  udp_stream: "Throughput of datagrams to the server (udp-stream)",
  udp_rr: "Requests of one datagram per second (udp-rr)",
};

export interface TestGroup {
  test: TestName;
  groups: Configuration[];
  /** The groups' names without the test's. */
  categories: string[];
}

export function testsOf(groups: readonly Configuration[]): TestGroup[] {
  const tests = [...new Set(groups.map(({ test }) => test))];
  return tests.map((test) => {
    const own = groups.filter((group) => group.test === test);
    return { test, groups: own, categories: own.map(shortName) };
  });
}

function shortName({ name, test }: Configuration): string {
  return name.slice(`${TESTS[test]}, `.length);
}

/** One series per label, in the labels' order. */
export function barSeries({ groups }: TestGroup, labels: readonly string[]): BarSeries[] {
  return labels
    .map((name, place) => ({
      name,
      place,
      bars: groups.map(({ runs }) => barOf(runs.find(({ label }) => label === name)?.result)),
    }))
    .filter(({ bars }) => bars.some((bar) => bar !== undefined));
}

function barOf(result: Result | undefined): Bar | undefined {
  const value = result === undefined ? undefined : rateOf(result);
  if (result === undefined || value === undefined) return undefined;
  const pct = result.repeat?.halfWidthPct;
  const text = result.state === "completed" ? headline(result) : `${headline(result)}, ${result.state}`;
  return { value, text, ...(pct !== undefined && { halfWidth: (value * pct) / 100 }) };
}

function rateOf({ transactions, throughput }: Pick<Interval, "transactions" | "throughput">): number | undefined {
  return transactions?.perSecond ?? throughput?.bitsPerSecond ?? throughput?.sender?.bitsPerSecond;
}

export const CPU_PARTS = ["user", "system", "softirq", "irq"] as const;

/** A bar per configuration, label and end, where the CPU use was scaled to a rate. */
export function stacksOf({ groups, categories }: TestGroup, manyLabels: boolean): Stack[] {
  return groups.flatMap(({ runs }, index) =>
    runs.flatMap(({ label, result }) =>
      (["local", "remote"] as const).flatMap((end): Stack[] => {
        const usage = result.cpu[end];
        const cores = result.cpu.normalized?.[`${end}Cores`];
        if (usage === undefined || cores === undefined) return [];
        const names = [categories[index] ?? "", ...(manyLabels ? [shorten(label)] : []), SIDES[end]];
        return [
          {
            category: names.join(", "),
            values: split(usage, cores),
            text: cores < 100 ? formatCores(cores) : cores.toFixed(0),
          },
        ];
      }),
    ),
  );
}

const SIDES = { local: "client", remote: "server" };
const shorten = (label: string): string => (label.length > 24 ? `${label.slice(0, 23)}…` : label);

/** The parts of what is busy, in the same proportion as measured. */
function split({ busyCores, userCores, systemCores, softirqCores, irqCores }: CpuUsage, cores: number): number[] {
  const scale = busyCores > 0 ? cores / busyCores : 0;
  return [userCores, systemCores, softirqCores, irqCores].map((part) => part * scale);
}

/** x: 1 / (1 - share), y: ns. */
export async function curveLines(runs: readonly LabelledRun[], labels: readonly string[]): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { label, result } of runs) {
    if (result.latency === undefined || result.latency.count === 0) continue;
    const curve = await percentileCurve(result.latency);
    const points = curve.map(({ share, ns }): [number, number] => [1 / (1 - share), Math.max(1, ns)]);
    lines.push({ name: label, place: labels.indexOf(label), points });
  }
  return lines;
}

/** x: which part of the flows has less, percent; y: a flow's rate over the mean of all. */
export function fairnessLines(runs: readonly LabelledRun[], labels: readonly string[]): Line[] {
  return runs.flatMap(({ label, result }) => {
    const shares = fairnessOf(result.flows)?.shares;
    if (shares === undefined) return [];
    const step = Math.ceil(shares.length / MAX_POINTS);
    const points = shares.flatMap((share, rank): [number, number][] =>
      rank % step === 0 || rank === shares.length - 1 ? [[(100 * rank) / (shares.length - 1), share]] : [],
    );
    return [{ name: label, place: labels.indexOf(label), points }];
  });
}

/** x: the middle of the interval, s; y: the rate. */
export function rateLines(runs: readonly LabelledRun[], labels: readonly string[]): Line[] {
  return runs
    .filter(({ result }) => result.intervals.length > 1)
    .map(({ label, result }) => ({ name: label, place: labels.indexOf(label), points: pointsOf(result.intervals) }));
}

function pointsOf(intervals: readonly Interval[]): Line["points"] {
  const step = Math.ceil(intervals.length / MAX_POINTS);
  return intervals.flatMap((interval, index): Line["points"] => {
    const rate = rateOf(interval);
    if (rate === undefined || index % step !== 0) return [];
    const point: [number, number] = [(interval.startNs + interval.durationNs / 2) / 1e9, rate];
    // Each of several runs has a clock of its own.
    return index > 0 && intervals[index - step]?.run !== interval.run ? [null, point] : [point];
  });
}
