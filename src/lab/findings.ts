/** What the data say, in words: one paragraph per pair of paths and test, out of intervals and nothing else. */
import { compare, type MetricComparison } from "../index.js";
import type { Cell, LabDocument, LabTest, Measurement } from "./document.js";
import { byRounds, type Compared, CONFIDENCE } from "./paired.js";

/** Two paths of which the article says why they differ. */
interface Pair {
  base: string;
  next: string;
  /** What makes the difference between them. */
  about: string;
}

const PAIRS: readonly Pair[] = [
  { base: "ebpf-legacy", next: "ebpf-host-routing", about: "skipping the host's stack" },
  { base: "iptables", next: "ebpf-host-routing", about: "eBPF in place of routing, conntrack and chains" },
  { base: "iptables", next: "ebpf-legacy", about: "eBPF in place of the chains alone" },
  { base: "ebpf-host-routing", next: "ebpf-extra-veth", about: "one more veth crossing and backlog hop" },
  { base: "iptables", next: "iptables-notrack", about: "NOTRACK" },
  { base: "node", next: "ebpf-host-routing", about: "a pod, at its cheapest" },
  { base: "node", next: "iptables", about: "a pod behind conntrack and chains" },
  { base: "ptp", next: "iptables", about: "conntrack and chains alone" },
  { base: "ptp", next: "bridge", about: "a bridge in place of a routed veth" },
  { base: "node", next: "macvlan", about: "a macvlan on the wire" },
  { base: "bridge", next: "vxlan", about: "the overlay" },
  { base: "ptp", next: "wireguard", about: "encryption by WireGuard" },
  { base: "ptp", next: "ipsec", about: "encryption by IPsec" },
  { base: "ipsec", next: "wireguard", about: "WireGuard against IPsec" },
];

export interface Finding extends Cell, Pair {
  text: string;
  metrics: Compared[];
}

const UNITS: Record<LabTest, { rate: string; unit: string }> = {
  stream: { rate: "throughput", unit: "byte" },
  rr: { rate: "rate of requests", unit: "request" },
  crr: { rate: "rate of connections", unit: "connection" },
};

function nameOf(test: LabTest, { metric }: Compared): string {
  const { rate, unit } = UNITS[test];
  switch (metric) {
    case "throughput":
    case "transactions":
      return rate;
    case "latencyP50":
      return "median latency";
    case "latencyP99":
      return "99th percentile of latency";
    case "clientCpu":
      return `client node's CPU per ${unit}`;
    case "serverCpu":
      return `server node's CPU per ${unit}`;
  }
}

/** "0.80"; small ones keep two digits, and none is below nothing. */
function ratio(differencePct: number): string {
  const value = Math.max(0, 1 + differencePct / 100);
  if (value === 0) return "0";
  return value < 0.1 ? value.toPrecision(2) : value.toFixed(2);
}

/** "0.75 to 0.86" */
function boundsOf({ interval }: Compared): string {
  return interval === undefined ? "unbounded" : `${ratio(interval.lowPct)} to ${ratio(interval.highPct)}`;
}

const isShown = ({ verdict }: Compared): boolean => verdict === "better" || verdict === "worse";

/** "0.80 times the client node's CPU per request (0.75 to 0.86)" */
export function sentenceOf(test: LabTest, metric: Compared): string {
  const name = nameOf(test, metric);
  switch (metric.verdict) {
    case "better":
    case "worse":
      return `${ratio(metric.differencePct)} times the ${name} (${boundsOf(metric)})`;
    case "noDifferenceShown":
      return `no difference shown in the ${name} (${boundsOf(metric)})`;
    case "tooNoisy":
      return `no difference shown in the ${name}, too noisy to tell (${boundsOf(metric)})`;
    case "notRepeated":
      return `${ratio(metric.differencePct)} times the ${name} in one run each, which tells nothing`;
  }
}

/** What is shown first, with its intervals; then where no difference is, and where the data are too noisy to see one. */
export function paragraphOf({ base, next, about }: Pair, { test, flows }: Cell, metrics: readonly Compared[]): string {
  const list = (verdict: MetricComparison["verdict"]): string =>
    metrics
      .filter((metric) => metric.verdict === verdict)
      .map((metric) => `${nameOf(test, metric)} (${boundsOf(metric)})`)
      .join(", ");
  const [level, even, noisy] = [
    `${Math.round(CONFIDENCE * 100)} % intervals`,
    list("noDifferenceShown"),
    list("tooNoisy"),
  ];
  const parts = [
    ...metrics
      .filter((metric) => isShown(metric) || metric.verdict === "notRepeated")
      .map((one) => sentenceOf(test, one)),
    ...(even === "" ? [] : [`no difference shown in ${even}`]),
    ...(noisy === "" ? [] : [`no difference shown, as too noisy to tell, in ${noisy}`]),
  ];
  return `${next} against ${base} (${about}), ${countOf(flows)}, ${level} in brackets: ${parts.join("; ")}.`;
}

export const countOf = (flows: number): string => `${flows} ${flows === 1 ? "flow" : "flows"}`;

const variantOf = ({ paths }: LabDocument, name: string): string | undefined =>
  paths.find((path) => path.name === name)?.variant;

/** Kernel and user space are never compared without a word. */
function withVariants(document: LabDocument, pair: Pair): Pair {
  const named = [pair.next, pair.base].flatMap((name) => {
    const variant = variantOf(document, name);
    return variant === undefined ? [] : [`${name} in ${variant}`];
  });
  return named.length === 0 ? pair : { ...pair, about: [pair.about, ...named].join("; ") };
}

const kindOf = (variant: string | undefined): string =>
  variant?.startsWith("user space") === true ? "user" : "kernel";

/** Encryption in the kernel against encryption in user space would say nothing of the protocols. */
function isFair(document: LabDocument, { base, next }: Pair): boolean {
  const [one, other] = [variantOf(document, base), variantOf(document, next)];
  return one === undefined || other === undefined || kindOf(one) === kindOf(other);
}

const same = (one: Measurement, path: string, { test, flows }: Cell): boolean =>
  one.path === path && one.test === test && one.flows === flows;

/** Every pair that was measured, in the order of the article. */
export async function findingsOf(document: LabDocument, cells: readonly Cell[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const cell of cells) {
    for (const pair of PAIRS) {
      const before = document.measurements.find((one) => same(one, pair.base, cell));
      const after = document.measurements.find((one) => same(one, pair.next, cell));
      if (before === undefined || after === undefined || !isFair(document, pair)) continue;
      const { pairs } = await compare(before.results, after.results);
      const metrics = (pairs[0]?.metrics ?? []).map((metric) => byRounds(metric, before, after));
      if (metrics.length === 0) continue;
      const told = withVariants(document, pair);
      findings.push({ ...told, ...cell, metrics, text: paragraphOf(told, cell, metrics) });
    }
  }
  return findings;
}

/** An ordering that the article explains. */
interface Claim {
  base: string;
  next: string;
  test: LabTest;
  metric: MetricComparison["metric"];
  /** How the article has it. */
  expected: "better" | "worse";
  claim: string;
}

const CLAIMS: readonly Claim[] = [
  {
    ...{ base: "ebpf-legacy", next: "ebpf-host-routing", test: "rr", metric: "transactions", expected: "better" },
    claim: "eBPF host routing answers more requests than legacy host routing",
  },
  {
    ...{ base: "ebpf-legacy", next: "ebpf-host-routing", test: "rr", metric: "latencyP50", expected: "better" },
    claim: "eBPF host routing answers sooner (median) than legacy host routing",
  },
  {
    ...{ base: "ebpf-legacy", next: "ebpf-host-routing", test: "rr", metric: "serverCpu", expected: "better" },
    claim: "eBPF host routing needs less CPU per request than legacy host routing",
  },
  {
    ...{ base: "iptables", next: "ebpf-host-routing", test: "rr", metric: "serverCpu", expected: "better" },
    claim: "eBPF host routing needs less CPU per request than iptables",
  },
  {
    ...{ base: "ebpf-host-routing", next: "ebpf-extra-veth", test: "rr", metric: "serverCpu", expected: "worse" },
    claim: "one more veth crossing costs CPU per request",
  },
  {
    ...{ base: "iptables", next: "ebpf-host-routing", test: "crr", metric: "transactions", expected: "better" },
    claim: "eBPF host routing opens more connections than iptables",
  },
  {
    ...{ base: "iptables", next: "iptables-notrack", test: "crr", metric: "transactions", expected: "better" },
    claim: "NOTRACK opens more connections than conntrack",
  },
  {
    ...{ base: "ipsec", next: "wireguard", test: "stream", metric: "throughput", expected: "better" },
    claim: "WireGuard carries more than IPsec",
  },
];

export interface Outcome {
  claim: string;
  flows: number;
  outcome: "seen" | "not seen" | "the opposite is seen";
  detail: string;
}

export function outcomeOf(expected: "better" | "worse", verdict: MetricComparison["verdict"]): Outcome["outcome"] {
  if (verdict === expected) return "seen";
  return verdict === "better" || verdict === "worse" ? "the opposite is seen" : "not seen";
}

/** Whether each ordering of the article is seen here, with every number of flows. */
export function outcomesOf(findings: readonly Finding[]): Outcome[] {
  return CLAIMS.flatMap(({ claim, base, next, test, metric, expected }) =>
    findings
      .filter((finding) => finding.base === base && finding.next === next && finding.test === test)
      .flatMap(({ flows, metrics }) => {
        const found = metrics.find((one) => one.metric === metric);
        if (found === undefined) return [];
        return [{ claim, flows, outcome: outcomeOf(expected, found.verdict), detail: sentenceOf(test, found) }];
      }),
  );
}

/** What the curve shows, from its ends; undefined where either is missing. */
export function meltdownText({ meltdown }: LabDocument): string | undefined {
  if (meltdown === undefined) return undefined;
  const sentences = [...new Set(meltdown.points.map(({ path }) => path))].flatMap((path) => {
    const points = meltdown.points.filter((point) => point.path === path);
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    const [from, to] = [rateOf(first.results), rateOf(last.results)];
    if (from === undefined || from === 0) return [];
    const failed = last.failed > 0 ? ` (${last.failed} of its runs did not even end)` : "";
    const left = to === undefined ? "none" : `${((to / from) * 100).toFixed(1)} %`;
    const lost = `${last.dropped} packets found no room in the table`;
    return [`${path}: with the table full, ${left} of the rate with an empty one is left${failed}; ${lost}`];
  });
  return sentences.length === 0 ? undefined : `${sentences.join(". ")}.`;
}

export function rateOf(results: Measurement["results"]): number | undefined {
  if (results.length === 0) return undefined;
  return results.reduce((sum, { transactions }) => sum + (transactions?.perSecond ?? 0), 0) / results.length;
}
