export { Run, type RunSettings, run } from "./run.js";
export { type Server, type ServerHooks, type SessionSummary, serve } from "./serve.js";
