// eslint-disable-next-line @typescript-eslint/triple-slash-reference -- an ambient declaration cannot be imported
/// <reference path="./cephes.d.ts" />
/** Means of runs and how well they are known: Student's t, Welch's t, and how many runs would do. docs/comparing.md gives the method. */

/** Confidence level of every interval unless another is asked for. */
export const CONFIDENCE = 0.95;

/** Beyond this many further runs the answer is no longer a number of runs but another set-up. */
export const MAX_FURTHER_RUNS = 1000;

/** Student's t distribution. Degrees of freedom need not be whole. */
export interface StudentT {
  /** The t that a share `p` of the distribution lies below, 0 < p < 1. */
  quantile(p: number, degreesOfFreedom: number): number;
}

/** Imported on first use: the WebAssembly behind it takes some 40 ms to load. */
export async function loadStudentT(): Promise<StudentT> {
  const { compiled, incbi } = await import("cephes");
  await compiled;
  return {
    quantile(p, degreesOfFreedom) {
      // Both tails of |t| hold I_x(df/2, 1/2) of the distribution, with x = df / (df + t^2): Abramowitz and Stegun 26.7.1.
      const x = incbi(degreesOfFreedom / 2, 0.5, 2 * Math.min(p, 1 - p));
      const t = Math.sqrt((degreesOfFreedom * (1 - x)) / x);
      return p < 0.5 ? -t : t;
    },
  };
}

/** What is known of a quantity from one value per run. */
export interface Sample {
  runs: number;
  mean: number;
  /** Of the values, with n - 1; 0 for a single run, of which nothing more is known. */
  variance: number;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of at least one value. */
export function sampleOf(values: readonly number[]): Sample {
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return { runs: values.length, mean: center, variance: values.length > 1 ? squares / (values.length - 1) : 0 };
}

export function standardDeviation({ variance }: Sample): number {
  return Math.sqrt(variance);
}

/** How far the quantile lies from 0 that leaves half of what is not confidence on each side. */
function critical(student: StudentT, degreesOfFreedom: number, confidence: number): number {
  return student.quantile(1 - (1 - confidence) / 2, degreesOfFreedom);
}

/** Half the width of the confidence interval of the mean, in the values' unit; undefined for a single run. */
export function halfWidth(
  { runs, variance }: Sample,
  student: StudentT,
  confidence: number = CONFIDENCE,
): number | undefined {
  return runs < 2 ? undefined : critical(student, runs - 1, confidence) * Math.sqrt(variance / runs);
}

export interface Bounds {
  low: number;
  high: number;
}

export interface WelchInterval extends Bounds {
  /** Mean of `next` minus mean of `base`. */
  difference: number;
  /** Of {@link welchDegrees}. */
  degreesOfFreedom: number;
}

/** Squared standard error of a mean. */
const errorOf = ({ runs, variance }: Sample): number => variance / runs;

/** Welch and Satterthwaite's degrees of freedom, not whole; each side of at least two runs. */
export function welchDegrees(base: Sample, next: Sample): number {
  const [a, b] = [errorOf(base), errorOf(next)];
  // Runs that are all alike know no spread; then any number of degrees gives the same interval.
  if (a + b === 0) return base.runs + next.runs - 2;
  return (a + b) ** 2 / (a ** 2 / (base.runs - 1) + b ** 2 / (next.runs - 1));
}

/** Welch's interval of the difference of two means, whose variances need not be equal; undefined where a side has a single run. */
export function welch(
  base: Sample,
  next: Sample,
  student: StudentT,
  confidence: number = CONFIDENCE,
): WelchInterval | undefined {
  if (base.runs < 2 || next.runs < 2) return undefined;
  const degreesOfFreedom = welchDegrees(base, next);
  const reach = critical(student, degreesOfFreedom, confidence) * Math.sqrt(errorOf(base) + errorOf(next));
  const difference = next.mean - base.mean;
  return { difference, low: difference - reach, high: difference + reach, degreesOfFreedom };
}

/**
 * Fieller's interval of mean(next) / mean(base) with Welch's degrees of freedom: every ratio r for which the data do not exclude that
 * mean(next) = r x mean(base). It takes the error of both means into account and holds 1 exactly when {@link welch}'s interval holds
 * 0. Undefined where a side has a single run, or where the mean of `base` is not even known to differ from 0.
 */
export function ratioInterval(
  base: Sample,
  next: Sample,
  student: StudentT,
  confidence: number = CONFIDENCE,
): Bounds | undefined {
  if (base.runs < 2 || next.runs < 2) return undefined;
  const squaredT = critical(student, welchDegrees(base, next), confidence) ** 2;
  const a = base.mean ** 2 - squaredT * errorOf(base);
  if (a <= 0) return undefined;
  const product = base.mean * next.mean;
  const root = Math.sqrt(Math.max(0, product ** 2 - a * (next.mean ** 2 - squaredT * errorOf(next))));
  return { low: (product - root) / a, high: (product + root) / a };
}

/** The least number of further runs that suffices, from 1 on; undefined where {@link MAX_FURTHER_RUNS} do not. */
function leastFurther(suffices: (further: number) => boolean): number | undefined {
  for (let further = 1; further <= MAX_FURTHER_RUNS; further++) {
    if (suffices(further)) return further;
  }
  return undefined;
}

/**
 * How many runs more would bring the half width of the mean's interval down to `wanted` (in the values' unit) if the spread stays what
 * it is: 0 when it is there already, undefined for a single run or when {@link MAX_FURTHER_RUNS} would not do.
 */
export function furtherRuns(
  sample: Sample,
  wanted: number,
  student: StudentT,
  confidence: number = CONFIDENCE,
): number | undefined {
  const now = halfWidth(sample, student, confidence);
  if (now === undefined) return undefined;
  if (now <= wanted) return 0;
  return leastFurther((further) => {
    const width = halfWidth({ ...sample, runs: sample.runs + further }, student, confidence);
    return width !== undefined && width <= wanted;
  });
}

/** The same for the interval of a difference: runs more on each side, at least 1. */
export function furtherRunsOfEach(
  base: Sample,
  next: Sample,
  wanted: number,
  student: StudentT,
  confidence: number = CONFIDENCE,
): number | undefined {
  return leastFurther((further) => {
    const more = (sample: Sample): Sample => ({ ...sample, runs: sample.runs + further });
    const interval = welch(more(base), more(next), student, confidence);
    return interval !== undefined && (interval.high - interval.low) / 2 <= wanted;
  });
}
