/** Parts of several results made into one: counts and histograms added, shares and rates as means. */
import { compact } from "./compact.js";
import { decodeHdr, mergeHistograms } from "./hdr-decode.js";
import { latencySummary } from "./latency.js";
import type { CpuUsage, FlowResult, LatencySummary, NetworkUse, Warning } from "./model.js";
import type { ConnectErrors, Counters, TcpInfo } from "./raw.js";
import { mean } from "./statistics.js";

/** What all have of a figure, through a fold; undefined where one lacks it. */
export function fold<Value, Merged>(
  values: readonly (Value | undefined)[],
  merge: (known: readonly Value[]) => Merged,
): Merged | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 && known.length === values.length ? merge(known) : undefined;
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
export const foldMean = (values: readonly (number | undefined)[]): number | undefined => fold(values, mean);
export const foldSum = (values: readonly (number | undefined)[]): number | undefined => fold(values, sum);
const roundedMean = (values: readonly number[]): number => Math.round(mean(values));

/** The same value, or undefined where they differ or one is missing. */
function common<Value>(values: readonly (Value | undefined)[]): Value | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** One merged figure per property of objects that hold nothing but numbers. */
function eachProperty<Shape extends object>(
  objects: readonly Shape[],
  merge: (values: readonly number[]) => number,
): Shape {
  const names = Object.keys(objects[0] ?? {}) as (keyof Shape)[];
  return Object.fromEntries(
    names.map((name) => [name, merge(objects.map((one) => one[name] as number))]),
  ) as unknown as Shape;
}

/** Objects of nothing but counts, added up. */
export function foldCounts<Counts extends object>(runs: readonly (Counts | undefined)[]): Counts | undefined {
  return fold(runs, (known) => eachProperty(known, sum));
}

export function addErrors(errors: readonly ConnectErrors[]): ConnectErrors {
  return eachProperty(errors, sum);
}

export function addCounters(counters: readonly (Counters | undefined)[]): Counters | undefined {
  return fold(counters, (known) => ({
    ...eachProperty(
      known.map(({ connectErrors: _errors, datagrams: _datagrams, ...counts }) => counts),
      sum,
    ),
    connectErrors: addErrors(known.map(({ connectErrors }) => connectErrors)),
    ...compact({ datagrams: foldCounts(known.map(({ datagrams }) => datagrams)) }),
  }));
}

type KernelThreads = NonNullable<CpuUsage["kernelThreads"]>;

/** A kind that did not run in some run counts as 0 there. */
function meanThreads(runs: readonly KernelThreads[]): KernelThreads {
  const totals = new Map<string, number>();
  for (const { name, cores } of runs.flat()) totals.set(name, (totals.get(name) ?? 0) + cores);
  return [...totals].sort(([, a], [, b]) => b - a).map(([name, total]) => ({ name, cores: total / runs.length }));
}

/** CPU use of one host: the mean of the runs; what was throttled is added. */
export function meanCpu(usages: readonly (CpuUsage | undefined)[]): CpuUsage | undefined {
  return fold(usages, (known) => {
    const plain = known.map(
      ({ perCpu: _perCpu, cgroup: _cgroup, kernelThreads: _threads, cpus: _cpus, ...shares }) => shares,
    );
    const kernelThreads = fold(
      known.map((usage) => usage.kernelThreads),
      meanThreads,
    );
    const cgroup = fold(
      known.map((usage) => usage.cgroup),
      (groups) => ({
        usageCores: mean(groups.map(({ usageCores }) => usageCores)),
        throttledNs: sum(groups.map(({ throttledNs }) => throttledNs)),
        throttledPeriods: sum(groups.map(({ throttledPeriods }) => throttledPeriods)),
      }),
    );
    const perCpu = (known[0]?.perCpu ?? []).flatMap(({ cpu }) => {
      const same = known.flatMap((usage) => usage.perCpu.find((one) => one.cpu === cpu) ?? []);
      return same.length === known.length ? [eachProperty(same, mean)] : [];
    });
    return compact({ cpus: known[0]?.cpus ?? 0, ...eachProperty(plain, mean), cgroup, kernelThreads, perCpu });
  });
}

/** Retransmits and times are added; what describes a connection at its end is the mean, its least round trip the least. */
export function mergeTcpInfo<Info extends TcpInfo>(infos: readonly Info[]): Info {
  const total = (name: keyof TcpInfo): number => sum(infos.map((info) => info[name]));
  return {
    ...eachProperty(infos, roundedMean),
    minRttNs: Math.min(...infos.map(({ minRttNs }) => minRttNs)),
    retransmits: total("retransmits"),
    busyNs: total("busyNs"),
    rwndLimitedNs: total("rwndLimitedNs"),
    sndbufLimitedNs: total("sndbufLimitedNs"),
    deliveryRateBitsPerSecond: mean(infos.map(({ deliveryRateBitsPerSecond }) => deliveryRateBitsPerSecond)),
  };
}

/** Counters of the network stack, added. */
export function addNetwork(runs: readonly (NetworkUse | undefined)[]): NetworkUse | undefined {
  return fold(runs, (known) =>
    compact({
      interface: foldCounts(known.map((use) => use.interface)),
      softnet: foldCounts(known.map((use) => use.softnet)),
      tcp: foldCounts(known.map((use) => use.tcp)),
      udp: foldCounts(known.map((use) => use.udp)),
    }),
  );
}

/** Flow i of every run is flow i of the result. */
export function mergeFlows(runs: readonly (readonly FlowResult[])[]): FlowResult[] {
  return (runs[0] ?? []).map((_, flow) => {
    const same = runs.map((flows) => flows[flow] ?? {});
    return compact({
      bytes: foldSum(same.map(({ bytes }) => bytes)),
      sentBytes: foldSum(same.map(({ sentBytes }) => sentBytes)),
      transactions: foldSum(same.map(({ transactions }) => transactions)),
      connectErrors: fold(
        same.map(({ connectErrors }) => connectErrors),
        addErrors,
      ),
      datagrams: fold(
        same.map(({ datagrams }) => datagrams),
        (known) => compact({ sent: sum(known.map(({ sent }) => sent)), lost: foldSum(known.map(({ lost }) => lost)) }),
      ),
      cpu: common(same.map(({ cpu }) => cpu)),
      remoteCpu: common(same.map(({ remoteCpu }) => remoteCpu)),
      incomingCpu: common(same.map(({ incomingCpu }) => incomingCpu)),
      remoteIncomingCpu: common(same.map(({ remoteIncomingCpu }) => remoteIncomingCpu)),
      tcpInfo: fold(
        same.map(({ tcpInfo }) => tcpInfo),
        mergeTcpInfo,
      ),
    });
  });
}

/** One histogram of every transaction of every run. A run without any transaction adds nothing. */
export async function mergeLatency(
  summaries: readonly (LatencySummary | undefined)[],
): Promise<LatencySummary | undefined> {
  const known = summaries.filter((summary) => summary !== undefined);
  const [first] = known;
  if (first === undefined) return undefined;
  return latencySummary(first.kind, mergeHistograms(await Promise.all(known.map(decodeHdr))));
}

/** Warnings are the same where only their figures differ. */
function identityOf({ code, message }: Warning): string {
  return `${code} ${message.replace(/[\d.,]+/g, "#")}`;
}

/** Each warning once, with how many runs gave rise to it where not all of them say the very same. */
export function uniteWarnings(runs: readonly (readonly Warning[])[]): Warning[] {
  const groups = new Map<string, Warning[]>();
  for (const warning of runs.flat()) {
    const group = groups.get(identityOf(warning));
    if (group === undefined) groups.set(identityOf(warning), [warning]);
    else group.push(warning);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const alike = group.length === runs.length && group.every(({ message }) => message === first.message);
    const note = ` (in ${group.length} of ${runs.length} runs${group.length > 1 ? ", with the figures of the first" : ""})`;
    return [alike ? first : { ...first, message: first.message + note }];
  });
}
