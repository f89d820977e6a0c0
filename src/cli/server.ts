/** `cnb-load server` */
import { isIPv6 } from "node:net";
import { resolveServeOptions } from "../options/spec.js";
import { serveTable } from "../options/table.js";
import { EXIT } from "./exit-codes.js";
import { pickOptions, type Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { print } from "./output.js";
import { renderSession } from "./session-line.js";

/** Resolves with the exit code once the server has ended. */
export async function serverCommand(values: Values): Promise<number> {
  const options = pickOptions(serveTable, values);
  resolveServeOptions(options, "cli");
  using interrupt = new Interrupt();
  const { serve } = await import("../run/index.js");
  await using server = await serve({
    ...options,
    ...(values["quiet"] !== true && {
      // A log that nobody reads any more is no reason to stop serving.
      onSession: (summary) => void print(`${renderSession(summary)}\n`).catch(() => undefined),
    }),
  });
  const host = isIPv6(server.host) ? `[${server.host}]` : server.host;
  await print(`cnb-load server listening on ${host}:${server.port}\n`);
  await Promise.race([server.closed, stopRequest(interrupt.signal)]);
  return EXIT.done;
}

/** A signal; or, for a server that another process started with a channel to itself, the end of that process. */
function stopRequest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
    if (process.channel !== undefined) process.once("disconnect", resolve);
  });
}
