/**
 * The types of a result, derived from the schemas in `schema/`. Nothing here exists at run time: building TypeBox schemas costs
 * hundreds of milliseconds, so only `scripts/generate-schema.mjs` and the tests import `schema/*`; code imports these types.
 */
import type { Static } from "typebox";
import type { ResolvedSpec } from "../options/spec.js";
import type { ComparisonSchema } from "./schema/comparison.js";
import type { CpuUsageSchema, HostContextSchema, NetworkUseSchema } from "./schema/host.js";
import type {
  BestSchema,
  FlowResultSchema,
  IntervalLatencySchema,
  IntervalSchema,
  LatencySummarySchema,
  ProbeSchema,
  ResultSchema,
  WarningSchema,
} from "./schema/result.js";
import type { SpecSchema } from "./schema/spec.js";

export type Result = Static<typeof ResultSchema>;
export type RunState = Result["state"];
export type Interval = Static<typeof IntervalSchema>;
/** What probes found out before a run. */
export type BestChoice = Static<typeof BestSchema>;
export type Probe = Static<typeof ProbeSchema>;
export type FlowResult = Static<typeof FlowResultSchema>;
/** With the whole histogram in `hdr`. */
export type LatencySummary = Static<typeof LatencySummarySchema>;
export type LatencyKind = LatencySummary["kind"];
export type IntervalLatency = Static<typeof IntervalLatencySchema>;
export type CpuUsage = Static<typeof CpuUsageSchema>;
export type NetworkUse = Static<typeof NetworkUseSchema>;
export type HostContext = Static<typeof HostContextSchema>;
export type Warning = Static<typeof WarningSchema>;
export type Comparison = Static<typeof ComparisonSchema>;
export type PairComparison = Comparison["pairs"][number];
export type MetricComparison = PairComparison["metrics"][number];

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Assert<Holds extends true> = Holds;
/** Fails to compile when the options and their schema drift apart. */
export type SpecSchemaIsCurrent = Assert<Same<Static<typeof SpecSchema>, ResolvedSpec>>;
