/** Colours of the page and its charts, for light and dark, and the rest of its style. */

interface Shade {
  light: string;
  dark: string;
}

/** One per label; Okabe and Ito's colours, which people with colour-blindness tell apart. Further labels begin again, hatched. */
const LABELS: Shade[] = [
  { light: "#0072b2", dark: "#4ba3dd" },
  { light: "#e69f00", dark: "#f0b440" },
  { light: "#009e73", dark: "#2fbf96" },
  { light: "#cc79a7", dark: "#d995bb" },
  { light: "#7a5195", dark: "#a98bc4" },
  { light: "#d55e00", dark: "#ef8340" },
];
/** user, system, softirq, irq: from dark to light, so that the order shows in black and white. */
const CPU: Shade[] = [
  { light: "#123f5a", dark: "#2f7fae" },
  { light: "#2a86b8", dark: "#5fb0d9" },
  { light: "#86c5e4", dark: "#a6d8ef" },
  { light: "#d3e8f3", dark: "#e3f3fb" },
];
const INK: Shade = { light: "#1b1f24", dark: "#e6e9ed" };
const MUTED: Shade = { light: "#59636e", dark: "#9aa4b0" };
const GRID: Shade = { light: "#d9dee3", dark: "#343b44" };
const PAPER: Shade = { light: "#ffffff", dark: "#15181c" };
const CARD: Shade = { light: "#f6f8fa", dark: "#1d2126" };

const SHADES: Record<string, Shade> = {
  ...Object.fromEntries(LABELS.map((shade, index) => [`label${index}`, shade])),
  ...Object.fromEntries(CPU.map((shade, index) => [`cpu${index}`, shade])),
  ...{ ink: INK, muted: MUTED, grid: GRID, paper: PAPER, card: CARD },
};
const NAMES = Object.keys(SHADES);

/**
 * A chart is drawn before anyone knows whether the reader likes it light or dark: it is drawn in colours that stand for variables of the
 * page's style, #fe0000 for the first of them, and {@link toVariables} puts those in their place.
 */
function stand(name: string): string {
  return `#fe00${NAMES.indexOf(name).toString(16).padStart(2, "0")}`;
}

export const colors = {
  label: (index: number): string => stand(`label${index % LABELS.length}`),
  cpu: (index: number): string => stand(`cpu${index}`),
  ink: stand("ink"),
  muted: stand("muted"),
  grid: stand("grid"),
};

/** How often the labels' colours have been used up before this one: 0 is plain, more is hatched. */
export const roundOf = (index: number): number => Math.floor(index / LABELS.length);

export function toVariables(svg: string): string {
  return svg.replace(/#fe00([0-9a-f]{2})/g, (_, index: string) => `var(--${NAMES[parseInt(index, 16)] ?? "ink"})`);
}

function variables(mode: keyof Shade): string {
  return Object.entries(SHADES)
    .map(([name, shade]) => `--${name}:${shade[mode]};`)
    .join("");
}

export const STYLE = `
:root{color-scheme:light dark;${variables("light")}}
@media (prefers-color-scheme:dark){:root{${variables("dark")}}}
@media print{:root{${variables("light")}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:82rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:0;overflow-wrap:anywhere}
p{margin:.4rem 0;max-width:46rem}
.note{color:var(--muted);font-size:.875rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem}
figure{margin:0;padding:.9rem;background:var(--card);border:1px solid var(--grid);border-radius:.5rem;min-width:0;break-inside:avoid}
figcaption{margin-bottom:.5rem}
figure svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.8125rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
th:first-child,td.text,th.text{text-align:left}
th{font-weight:600}
tbody th{font-weight:400;max-width:20rem;white-space:normal;overflow-wrap:anywhere;min-width:7rem}
details{margin-top:.5rem}
summary{cursor:pointer;color:var(--muted);font-size:.875rem}
:focus-visible{outline:2px solid var(--label0);outline-offset:2px}
ul{padding-left:1.2rem}
li{margin:.6rem 0;overflow-wrap:anywhere}
code{font-size:.9em}
`;
