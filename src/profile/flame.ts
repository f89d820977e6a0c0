/** Flame graphs: stacks folded and counted, as an SVG that is whole in itself, and in speedscope's format. Pure functions. */

/** Frames from the outermost to the innermost, joined by ";", and how often they were seen. */
export type Folded = ReadonlyMap<string, number>;

/** Takes the lines of `perf script -F comm,cpu,ip,sym` one by one. Samples of a CPU that idles are left out. */
export class Folder {
  readonly byCpu = new Map<number, Map<string, number>>();
  #head = "";
  /** The innermost first. */
  #frames: string[] = [];

  add(line: string): void {
    const text = line.trim();
    if (text === "") this.end();
    else if (this.#head === "") this.#head = text;
    else
      this.#frames.push(
        text
          .replace(/^[0-9a-f]+ /, "")
          .replace(/\+0x[0-9a-f]+$/, "")
          .replaceAll(";", ":"),
      );
  }

  /** After the last line. */
  end(): void {
    const [, comm = "", cpu] = /^(.*?)\s+(?:\d+\s+)?\[(\d+)\]/.exec(this.#head) ?? [];
    if (cpu !== undefined && !isIdle(this.#frames[0])) {
      const stack = [comm.replaceAll(";", ":"), ...this.#frames.reverse()].join(";");
      const own = this.byCpu.get(Number(cpu)) ?? new Map<string, number>();
      own.set(stack, (own.get(stack) ?? 0) + 1);
      this.byCpu.set(Number(cpu), own);
    }
    this.#head = "";
    this.#frames = [];
  }
}

/** All of them together. */
export function addUp(parts: Iterable<Folded>): Folded {
  const sum = new Map<string, number>();
  for (const part of parts) for (const [stack, count] of part) sum.set(stack, (sum.get(stack) ?? 0) + count);
  return sum;
}

const isIdle = (leaf: string | undefined): boolean => leaf !== undefined && /halt|idle|mwait/.test(leaf);

/** Brendan Gregg's format, a line per stack. */
export function foldedText(folded: Folded): string {
  return [...folded]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([stack, count]) => `${stack} ${count}\n`)
    .join("");
}

export const samplesOf = (folded: Folded): number => [...folded.values()].reduce((sum, count) => sum + count, 0);

/** https://www.speedscope.app/file-format-schema.json */
export function speedscope(folded: Folded, name: string): string {
  const indices = new Map<string, number>();
  const indexOf = (frame: string): number => {
    const known = indices.get(frame) ?? indices.size;
    indices.set(frame, known);
    return known;
  };
  const samples = [...folded.keys()].map((stack) => stack.split(";").map(indexOf));
  const profile = { type: "sampled", name, unit: "none", startValue: 0, endValue: samplesOf(folded), samples };
  return `${JSON.stringify({
    $schema: "https://www.speedscope.app/file-format-schema.json",
    shared: { frames: [...indices.keys()].map((frame) => ({ name: frame })) },
    profiles: [{ ...profile, weights: [...folded.values()] }],
  })}\n`;
}

interface Frame {
  name: string;
  count: number;
  children: Map<string, Frame>;
}

function treeOf(folded: Folded): Frame {
  const root: Frame = { name: "all", count: 0, children: new Map() };
  for (const [stack, count] of folded) {
    let at = root;
    at.count += count;
    for (const name of stack.split(";")) {
      const next: Frame = at.children.get(name) ?? { name, count: 0, children: new Map() };
      at.children.set(name, next);
      next.count += count;
      at = next;
    }
  }
  return root;
}

const WIDTH = 1200;
const ROW = 16;
/** Narrower than this is not drawn. */
const LEAST = 3;
const LETTER = 6.6;

const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** Warm colours; the same name has the same one in every graph, so that two can be held against each other. */
function colorOf(name: string): string {
  let hash = 0;
  for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) >>> 0;
  return `hsl(${hash % 55},${60 + ((hash >> 8) % 30)}%,${62 + ((hash >> 16) % 14)}%)`;
}

/** Every frame tells its share when the pointer rests on it; outermost at the bottom. */
export function flameSvg(folded: Folded, title: string): string {
  const root = treeOf(folded);
  const boxes: string[] = [];
  let depths = 1;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = (frame.count / root.count) * WIDTH;
    if (width < LEAST) return;
    depths = Math.max(depths, depth + 1);
    const share = `${((frame.count / root.count) * 100).toFixed(2)} %`;
    const fits = Math.floor((width - 4) / LETTER);
    const short = frame.name.length > fits ? `${frame.name.slice(0, Math.max(0, fits - 1))}…` : frame.name;
    const label = fits < 3 ? "" : `<text x="${(x + 3).toFixed(1)}" y="${-depth * ROW - 4}">${escapeXml(short)}</text>`;
    const box = `<rect x="${x.toFixed(1)}" y="${-(depth + 1) * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colorOf(frame.name)}"/>`;
    boxes.push(`<g><title>${escapeXml(`${frame.name}: ${frame.count} samples, ${share}`)}</title>${box}${label}</g>`);
    let from = x;
    for (const child of [...frame.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      draw(child, from, depth + 1);
      from += (child.count / root.count) * WIDTH;
    }
  };
  if (root.count > 0) draw(root, 0, 0);
  const height = (depths + 2) * ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fffdf8"/>`,
    `<text x="4" y="14" font-weight="bold">${escapeXml(title)}</text>`,
    `<g transform="translate(0 ${height})">${boxes.join("\n")}</g>`,
    "</svg>\n",
  ].join("\n");
}
