// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an ambient declaration cannot be imported
/// <reference path="./echarts.d.ts" />
/** Charts as SVG text. ECharts is an optional dependency, loaded for this alone. */
import { CnbLoadError } from "../errors.js";
import { CHART_WIDTH, type Chart, textWidth } from "./charts.js";
import { toVariables } from "./html-theme.js";

export type Draw = (chart: Chart) => string;

/** Throws ERR_PLATFORM where ECharts was not installed. */
export async function loadDraw(): Promise<Draw> {
  const { init, setPlatformAPI } = await import("echarts/dist/echarts.esm.min.mjs").catch((cause: unknown) => {
    const message = "charts need the package echarts, which npm leaves out with --omit=optional: npm install echarts";
    throw new CnbLoadError("ERR_PLATFORM", message, { cause });
  });
  setPlatformAPI({
    measureText: (text, font = "") => ({
      width: textWidth(text.length, Number.parseFloat(/[\d.]+px/.exec(font)?.[0] ?? "12")),
    }),
  });
  let drawn = 0;
  return ({ option, height }) => {
    const size = { width: CHART_WIDTH, height };
    const chart = init(null, null, { renderer: "svg", ssr: true, ...size });
    try {
      chart.setOption(option);
      // Ids count up over the life of the process; on the page they need only differ from chart to chart.
      const id = `c${drawn++}-`;
      return withoutPointer(toVariables(chart.renderToSVGString({ useViewBox: true }))).replace(/zr\d+-/g, id);
    } finally {
      chart.dispose();
    }
  };
}

/** Leaves out what only serves a pointer, an eighth of a chart: shapes without paint and cursors. Text is safe from this: its "<" is escaped. */
function withoutPointer(svg: string): string {
  return svg
    .replace(/<path [^>]*fill="none" pointer-events="visible" class="[^"]*"><\/path>\n?/g, (path) =>
      path.includes("stroke=") ? path : "",
    )
    .replace(/(<[^>]*?) pointer-events="visible"/g, "$1")
    .replace(/(<[^>]*?) class="zr\d+-cls-\d+"/g, "$1");
}
