/** What the rest of the package draws its own pages with. */
export { type BarSeries, type Chart, curves, groupedBars, stackedBars, tailCurve } from "./charts.js";
export { configurations } from "./configurations.js";
export { type Draw, loadDraw } from "./draw.js";
export { cpuTable, type FigureTable, formatTarget, rateTable, sharedWarnings } from "./figures.js";
export { CPU_PARTS, curveLines, stacksOf, testsOf } from "./html-data.js";
export { escapeHtml, htmlTable } from "./html-text.js";
export { card, cards, htmlPage, section } from "./page.js";
export type { LabelledRun } from "./runs.js";
export { headline } from "./summary.js";
export { formatBytes, formatRate, formatTime } from "./units.js";
