/** What other rooms need of the options: shapes and the two functions that fill and check them. */
export type { RunOptions, ServeOptions } from "./inputs.js";
export type {
  CloseMode,
  CpuGroup,
  EngineChoice,
  Family,
  ResolvedServeOptions,
  ResolvedSpec,
  RxMode,
  TestName,
  ZerocopyMode,
} from "./resolved.js";
export { blockRefusal, MAX_BLOCK_BURST_BYTES, MAX_BLOCK_FLOWS } from "./checks.js";
export { isBulk, isUdp, makesConnections } from "./names.js";
export { conflictingOption, invalidOption } from "./invalid.js";
export type { InMemory, ResolvedAccess } from "./access.js";
export { checkResolvedSpec, resolveAccess, resolveRunOptions, resolveServeOptions } from "./resolve.js";
