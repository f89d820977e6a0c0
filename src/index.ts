export { CnbLoadError, type ErrorCode } from "./errors.js";
export type { ResolvedSpec, RunOptions, ServeOptions, TestName } from "./options/spec.js";
export type { CpuUsage, FlowResult, HostContext, Interval, LatencySummary, Result, Warning } from "./result/model.js";
export {
  type Run,
  type RunSettings,
  type Server,
  type ServerHooks,
  type SessionSummary,
  run,
  serve,
} from "./run/index.js";
