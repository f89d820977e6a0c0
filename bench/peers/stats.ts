/** Medians, spreads and ratios of interleaved samples. */

export interface Summary {
  count: number;
  median: number;
  min: number;
  max: number;
}

/** NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? NaN;
  return (lower + upper) / 2;
}

/** Undefined for no values. */
export function summarize(values: readonly number[]): Summary | undefined {
  if (values.length === 0) return undefined;
  return { count: values.length, median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** How two series of one interleaved run compare: round i of the one was measured right beside round i of the other. */
export interface Comparison {
  /** Median of ours divided by median of theirs. */
  ofMedians: number;
  /** Median, least and largest of the ratios round by round; rounds in which one of the two failed are left out. */
  pairwise: Summary;
}

/** Undefined where no round has both. */
export function compare(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): Comparison | undefined {
  const pairs = ours.flatMap((our, round) => {
    const their = theirs[round];
    return our === undefined || their === undefined || their === 0 ? [] : [{ our, their }];
  });
  const pairwise = summarize(pairs.map(({ our, their }) => our / their));
  if (pairwise === undefined) return undefined;
  return { ofMedians: median(pairs.map(({ our }) => our)) / median(pairs.map(({ their }) => their)), pairwise };
}
