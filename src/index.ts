export { CnbLoadError, type ErrorCode } from "./errors.js";
export type { ResolvedSpec, RunOptions, ServeOptions, TestName } from "./options/spec.js";
export { compare, type CompareOptions } from "./result/compare.js";
export type {
  BestChoice,
  Comparison,
  CpuUsage,
  FlowResult,
  HostContext,
  Interval,
  LatencySummary,
  MetricComparison,
  PairComparison,
  Probe,
  Result,
  Warning,
} from "./result/model.js";
export { summarize } from "./result/summarize.js";
export {
  type Run,
  type RunSettings,
  type Server,
  type ServerHooks,
  type SessionSummary,
  run,
  serve,
} from "./run/index.js";
