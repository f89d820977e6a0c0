/**
 * Paths compared round by round. The runs of one round follow each other within seconds and share what else the machine did meanwhile, which
 * the ratio of two of them is free of: the ratios' logarithms are taken for normally distributed, and Student's t gives the interval of
 * their mean.
 */
import type { MetricComparison, Result } from "../index.js";
import type { Measurement } from "./document.js";

/** What findings say of a metric. */
export type Compared = Pick<MetricComparison, "metric" | "direction" | "differencePct" | "verdict"> & {
  interval?: { lowPct: number; highPct: number };
};

export const CONFIDENCE = 0.95;
/** An interval that holds 0 and reaches further than this, percent, says nothing; as in compare(). */
const RESOLUTION_PCT = 5;

/** What 97.5 % of Student's t distribution lie below, by degrees of freedom from 1 on. */
const T = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** Beyond the table Fisher's expansion, exact to three digits there. */
export function tQuantile(degrees: number): number {
  const z = 1.959964;
  return T[degrees - 1] ?? z + (z ** 3 + z) / (4 * degrees);
}

function valueOf(
  name: MetricComparison["metric"],
  { throughput, transactions, latency, cpu }: Result,
): number | undefined {
  const demand = (end: "local" | "remote"): number | undefined =>
    cpu.serviceDemand?.[end]?.nsPerTransaction ?? cpu.serviceDemand?.[end]?.nsPerKiB;
  switch (name) {
    case "throughput":
      return throughput?.bitsPerSecond;
    case "transactions":
      return transactions?.perSecond;
    case "latencyP50":
      return latency?.p50Ns;
    case "latencyP99":
      return latency?.p99Ns;
    case "clientCpu":
      return demand("local");
    case "serverCpu":
      return demand("remote");
  }
}

/** Logarithms of next / base, one per round that both have. */
function logRatios(name: MetricComparison["metric"], base: Measurement, next: Measurement): number[] {
  return base.rounds.flatMap((round, index) => {
    const [one, other] = [base.results[index], next.results[next.rounds.indexOf(round)]];
    const [before, after] = [one && valueOf(name, one), other && valueOf(name, other)];
    return before === undefined || after === undefined || before <= 0 || after <= 0 ? [] : [Math.log(after / before)];
  });
}

/** The metric by its rounds; as it is where fewer than two have both. */
export function byRounds(metric: MetricComparison, base: Measurement, next: Measurement): Compared {
  const ratios = logRatios(metric.metric, base, next);
  const count = ratios.length;
  if (count < 2) return metric;
  const mean = ratios.reduce((sum, value) => sum + value, 0) / count;
  const variance = ratios.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const reach = tQuantile(count - 1) * Math.sqrt(variance / count);
  const percent = (log: number): number => (Math.exp(log) - 1) * 100;
  const interval = { lowPct: percent(mean - reach), highPct: percent(mean + reach) };
  const { metric: name, direction } = metric;
  return { metric: name, direction, differencePct: percent(mean), interval, verdict: verdictOf(direction, interval) };
}

function verdictOf(
  direction: MetricComparison["direction"],
  { lowPct, highPct }: { lowPct: number; highPct: number },
): MetricComparison["verdict"] {
  if (lowPct > 0) return direction === "higherIsBetter" ? "better" : "worse";
  if (highPct < 0) return direction === "higherIsBetter" ? "worse" : "better";
  return (highPct - lowPct) / 2 <= RESOLUTION_PCT ? "noDifferenceShown" : "tooNoisy";
}
