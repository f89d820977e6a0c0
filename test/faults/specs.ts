import { type ResolvedSpec, type TestName, resolveRunOptions } from "../../src/options/spec.js";

/** What a client of ours would ask for. */
export function properSpec(test: TestName): ResolvedSpec {
  return resolveRunOptions({ test, host: "127.0.0.1", duration: "1s", warmup: 0, engine: "epoll" });
}
