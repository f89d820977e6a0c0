const PERCENT = /^(\d+(?:\.\d+)?|\.\d+)\s*%?$/;

/** Percent of "2%", "0.5 %" or a bare "2", or undefined where it is none of these. */
export function parsePercent(text: string): number | undefined {
  const match = PERCENT.exec(text.trim());
  return match === null ? undefined : Number(match[1]);
}
