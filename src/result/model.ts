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

/** What a run resolves with: plain JSON. Each field's meaning and unit, and where it is taken, are in `cnb-load/schema/result.json`. */
export interface Result extends Static<typeof ResultSchema> {}
export type RunState = Result["state"];
/** A part of the window, as a run that is iterated over yields them. */
export interface Interval extends Static<typeof IntervalSchema> {}
/** What probes found out before a run. */
export interface BestChoice extends Static<typeof BestSchema> {}
/** A short run before the one that counts, with the options that it tried. */
export interface Probe extends Static<typeof ProbeSchema> {}
/** One flow over the window. */
export interface FlowResult extends Static<typeof FlowResultSchema> {}
/** With the whole histogram in `hdr`. */
export interface LatencySummary extends Static<typeof LatencySummarySchema> {}
export type LatencyKind = LatencySummary["kind"];
export type IntervalLatency = Static<typeof IntervalLatencySchema>;
/** CPU of a whole host over its window. */
export interface CpuUsage extends Static<typeof CpuUsageSchema> {}
export type NetworkUse = Static<typeof NetworkUseSchema>;
/** What is known of a host beside its figures. */
export interface HostContext extends Static<typeof HostContextSchema> {}
/** A reason why a figure may not mean what it seems to: `code` for programs, `message` and `advice` for people. */
export interface Warning extends Static<typeof WarningSchema> {}
/** What `compare()` resolves with; `cnb-load/schema/comparison.json` describes each field. */
export interface Comparison extends Static<typeof ComparisonSchema> {}
/** One test that both sides hold. */
export type PairComparison = Comparison["pairs"][number];
/** One metric of it. */
export type MetricComparison = PairComparison["metrics"][number];

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Assert<Holds extends true> = Holds;
/** Fails to compile when the options and their schema drift apart. */
export type SpecSchemaIsCurrent = Assert<Same<Static<typeof SpecSchema>, ResolvedSpec>>;
