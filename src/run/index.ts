import type { ServeOptions } from "../options/spec.js";
import type { Server, ServerHooks } from "./serve.js";

export { Run, type RunSettings, run } from "./run.js";
export type { Admission, Place } from "./admission.js";
export type { Server, ServerHooks, SessionSummary } from "./serve.js";

/** Starts a server. Rejects with CnbLoadError: ERR_INVALID_OPTION, ERR_LISTEN, ERR_PLATFORM. */
export async function serve(options: ServeOptions & ServerHooks = {}): Promise<Server> {
  // Loaded on use: whoever only runs tests needs no server.
  const { startServer } = await import("./serve.js");
  return startServer(options);
}
