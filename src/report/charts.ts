/** Charts as ECharts options, drawn 360 units wide: as wide as a phone, and side by side on a desk. */
import type { EChartsOption, SeriesOption } from "echarts";
import { colors, roundOf } from "./html-theme.js";

export const CHART_WIDTH = 360;
const FONT = "system-ui,sans-serif";
const BAR = 15;
const BAR_GAP = 3;
const BAND_GAP = 16;
const LEGEND_ROW = 25;
/** Swatch of the legend and the gaps around it. */
const LEGEND_MARK = 45;
/** Right of the longest bar: its figure. */
const VALUE_WIDTH = 92;
/** Of the names of bars. */
const LABEL_SIZE = 11.5;
const LABEL_GAP = 10;
const LABEL_MOST = 130;
const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3], [3, 6], [12, 4]] as const;

/**
 * How wide a character is taken to be, in parts of the font's size. Whoever draws has no fonts to measure, and whoever looks has a font of
 * their own: this is as wide as the wide ones are.
 */
const CHARACTER = 0.57;
export const textWidth = (characters: number, fontSize: number): number => characters * CHARACTER * fontSize;

export interface Chart {
  option: EChartsOption;
  height: number;
}

export interface Bar {
  value: number;
  /** Of the confidence interval of the value, to each side. */
  halfWidth?: number;
  text: string;
}

export interface BarSeries {
  name: string;
  /** Colour and hatching. */
  place: number;
  /** One per category. */
  bars: (Bar | undefined)[];
}

const text = { color: colors.ink, fontFamily: FONT, fontSize: 12 };
const base = { animation: false, textStyle: text, backgroundColor: "transparent" } as const;
const quiet = { silent: true, emphasis: { disabled: true } } as const;

/** Names are outside input and stay out of ECharts' templates: a series goes by its position, and the legend looks its name up. */
function legend(names: readonly string[], fits: number): { option: EChartsOption["legend"]; height: number } {
  if (names.length < 2) return { option: { show: false }, height: 0 };
  let rows = 1;
  let x = 0;
  for (const name of names) {
    const width = Math.min(fits, textWidth(name.length, text.fontSize) + LEGEND_MARK);
    if (x > 0 && x + width > fits) {
      rows++;
      x = 0;
    }
    x += width;
  }
  return {
    option: {
      ...{ left: 0, top: 0, itemWidth: 24, itemHeight: 12, itemGap: 16, padding: 0, selectedMode: false },
      data: names.map((_, index) => ({ name: `s${index}` })),
      formatter: (id: string) => names[Number(id.slice(1))] ?? "",
      textStyle: { ...text, width: fits - 50, overflow: "truncate" },
    },
    height: rows * LEGEND_ROW + 8,
  };
}

/** From the second on: what tells bars apart without colour. */
function decal(place: number): { decal: object } {
  const hatches = [
    { symbol: "none" },
    { dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: Math.PI / 4 },
    { dashArrayX: [1, 0], dashArrayY: [2, 5], rotation: -Math.PI / 4 },
    {
      symbol: "circle",
      symbolSize: 0.7,
      dashArrayX: [
        [6, 6],
        [0, 6, 6, 0],
      ],
      dashArrayY: [6, 0],
    },
    { dashArrayX: [1, 0], dashArrayY: [2, 4] },
    { dashArrayX: [2, 4], dashArrayY: [1, 0] },
  ];
  const hatch = hatches[(place + roundOf(place)) % hatches.length];
  return { decal: { color: "rgba(255,255,255,0.55)", ...hatch } };
}

/** Figures side by side, one group of bars for each category. */
export function groupedBars(categories: readonly string[], series: readonly BarSeries[]): Chart {
  const key = legend(
    series.map(({ name }) => name),
    CHART_WIDTH,
  );
  const left = labelWidth(categories);
  const plot = CHART_WIDTH - left - VALUE_WIDTH;
  const all = series.flatMap(({ bars }) => bars.flatMap((bar) => (bar === undefined ? [] : [bar])));
  const max = Math.max(Number.MIN_VALUE, ...all.map(({ value, halfWidth = 0 }) => value + halfWidth));
  const bars: SeriesOption[] = series.map(({ place, bars: own }, index) => ({
    ...{ type: "bar", name: `s${index}`, barWidth: BAR, barGap: `${(BAR_GAP / BAR) * 100}%`, ...quiet },
    itemStyle: { color: colors.label(place), ...decal(place) },
    data: own.map((bar) =>
      bar === undefined
        ? { value: Number.NaN }
        : {
            value: bar.value,
            label: { ...valueLabel(bar.text), distance: 5 + ((bar.halfWidth ?? 0) / max) * plot },
          },
    ),
  }));
  const height = key.height + categories.length * (series.length * (BAR + BAR_GAP) + BAND_GAP);
  return {
    option: {
      ...base,
      legend: key.option as object,
      ...barAxes(categories, { left, top: key.height, right: VALUE_WIDTH }, max),
      series: [...bars, ...whiskers(series)],
    },
    height,
  };
}

function whiskers(series: readonly BarSeries[]): SeriesOption[] {
  return series.flatMap(({ bars }, index): SeriesOption[] => {
    const data = bars.flatMap((bar, category) =>
      bar?.halfWidth === undefined
        ? []
        : [[category, Math.max(0, bar.value - bar.halfWidth), bar.value + bar.halfWidth]],
    );
    if (data.length === 0) return [];
    const layout = { count: series.length, barWidth: BAR, barGap: `${(BAR_GAP / BAR) * 100}%` };
    return [
      {
        ...{ type: "custom", data, encode: { x: [1, 2], y: 0 }, z: 3, silent: true },
        renderItem: (_, api) => {
          const offset = api.barLayout(layout)?.[index]?.offsetCenter ?? 0;
          const [low, high] = [1, 2].map((side) => api.coord([api.value(side), api.value(0)])) as [number[], number[]];
          const y = (low[1] ?? 0) + offset;
          const line = (x1: number, y1: number, x2: number, y2: number) =>
            ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colors.ink, lineWidth: 1.5 } }) as const;
          const [from, to] = [low[0] ?? 0, high[0] ?? 0];
          return {
            type: "group",
            children: [line(from, y, to, y), line(from, y - 4, from, y + 4), line(to, y - 4, to, y + 4)],
          };
        },
      },
    ];
  });
}

export interface Stack {
  category: string;
  /** One per part. */
  values: number[];
  /** The sum, as text. */
  text: string;
}

/** One bar for each category, its parts one after another. */
export function stackedBars(parts: readonly string[], stacks: readonly Stack[]): Chart {
  const key = legend(parts, CHART_WIDTH);
  const categories = stacks.map(({ category }) => category);
  const left = labelWidth(categories);
  const max = Math.max(Number.MIN_VALUE, ...stacks.map(({ values }) => values.reduce((sum, value) => sum + value, 0)));
  const series: SeriesOption[] = parts.map((_, index) => ({
    ...{ type: "bar", name: `s${index}`, stack: "all", barWidth: BAR, ...quiet },
    itemStyle: { color: colors.cpu(index), borderColor: colors.muted, borderWidth: 0.5 },
    data: stacks.map(({ values, text: total }) => ({
      value: values[index] ?? 0,
      ...(index === parts.length - 1 && { label: { ...valueLabel(total), distance: 5 } }),
    })),
  }));
  return {
    option: {
      ...base,
      legend: key.option as object,
      ...barAxes(categories, { left, top: key.height, right: VALUE_WIDTH - 20 }, max),
      series,
    },
    height: key.height + stacks.length * (BAR + 9) + linesOf(categories) * 4,
  };
}

function valueLabel(formatted: string): { show: true; position: "right"; formatter: () => string; color: string } {
  return { show: true, position: "right", formatter: () => formatted, color: colors.ink };
}

/** Figures stand at the bars, so that the value axis needs none. */
function barAxes(
  categories: readonly string[],
  { left, top, right }: Record<"left" | "top" | "right", number>,
  max: number,
) {
  return {
    grid: { left, top, right, bottom: 0, outerBoundsMode: "none" },
    xAxis: { type: "value", min: 0, max, show: false },
    yAxis: {
      ...{ type: "category", inverse: true, data: [...categories], axisTick: { show: false } },
      axisLine: { lineStyle: { color: colors.muted } },
      axisLabel: {
        ...text,
        fontSize: LABEL_SIZE,
        width: left - LABEL_GAP,
        overflow: "break",
        interval: 0,
        lineHeight: 13,
      },
    },
  } as const satisfies EChartsOption;
}

function labelWidth(categories: readonly string[]): number {
  const longest = Math.max(...categories.map((name) => name.length));
  return Math.min(LABEL_MOST, Math.max(60, Math.ceil(textWidth(longest, LABEL_SIZE)) + LABEL_GAP));
}

function linesOf(categories: readonly string[]): number {
  return categories.filter((name) => textWidth(name.length, LABEL_SIZE) > LABEL_MOST - LABEL_GAP).length;
}

export interface Line {
  name: string;
  place: number;
  /** null ends a stretch. */
  points: ([number, number] | null)[];
}

const LINE_HEIGHT = 210;

function lines(series: readonly Line[]): SeriesOption[] {
  return series.map(({ place, points }, index) => ({
    ...{
      type: "line",
      name: `s${index}`,
      showSymbol: points.length < 2,
      symbolSize: 5,
      ...quiet,
      emphasis: { disabled: true },
    },
    lineStyle: { color: colors.label(place), width: 2, type: DASHES[place % DASHES.length] as "solid" },
    itemStyle: { color: colors.label(place) },
    data: points.map((point) => point ?? [Number.NaN, Number.NaN]),
  }));
}

function axis(formatter: (value: number) => string) {
  return {
    axisLabel: { ...text, color: colors.muted, fontSize: 11, formatter, hideOverlap: true },
    axisLine: { lineStyle: { color: colors.muted } },
    splitLine: { lineStyle: { color: colors.grid } },
    nameTextStyle: { ...text, color: colors.muted, fontSize: 11 },
  } as const;
}

function lineChart(series: readonly Line[], axes: Pick<EChartsOption, "xAxis" | "yAxis">): Chart {
  const key = legend(
    series.map(({ name }) => name),
    CHART_WIDTH,
  );
  return {
    option: {
      ...base,
      legend: { ...(key.option as object), itemHeight: 8, icon: undefined } as object,
      grid: { left: 58, right: 26, top: key.height + 10, bottom: 40, outerBoundsMode: "none" },
      ...axes,
      series: lines(series),
    },
    height: LINE_HEIGHT + key.height,
  };
}

/** x: seconds since the window opened, y: the rate. */
export function overTime(series: readonly Line[], format: (rate: number) => string): Chart {
  return curves(series, "seconds", String, format);
}

/** Both axes linear, the upright one from 0 on. */
export function curves(
  series: readonly Line[],
  name: string,
  formatX: (value: number) => string,
  formatY: (value: number) => string,
): Chart {
  return lineChart(series, {
    xAxis: {
      ...{ type: "value", name, nameLocation: "middle", nameGap: 24 },
      ...axis(formatX),
      splitLine: { show: false },
    },
    yAxis: { type: "value", min: 0, splitNumber: 4, ...axis(formatY) },
  });
}

/** x: one transaction in how many is slower, as 1 / (1 - share); y: nanoseconds. Both logarithmic. */
export function tailCurve(series: readonly Line[], format: (ns: number) => string): Chart {
  const values = series.flatMap(({ points }) => points.flatMap((point) => (point === null ? [] : [point[1]])));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return lineChart(series, {
    xAxis: {
      ...{ type: "log", min: 1, name: "percentile", nameLocation: "middle", nameGap: 24 },
      ...axis((odds) => (odds <= 1 ? "0 %" : percentOf(odds))),
    },
    yAxis: { type: "log", min: niceFloor(low), max: niceCeil(high), ...axis(format) },
  });
}

/** 1000 is "99.9 %". */
function percentOf(odds: number): string {
  const nines = Math.round(Math.log10(odds));
  return `${(100 - 100 / 10 ** nines).toFixed(Math.max(0, nines - 2))} %`;
}

const niceFloor = (value: number): number => 10 ** Math.floor(Math.log10(Math.max(1, value)));
const niceCeil = (value: number): number => 10 ** Math.ceil(Math.log10(Math.max(10, value * 1.01)));
