/** `cnb-load server` */
import { isIPv6 } from "node:net";
import { type ResolvedServeOptions, resolveServeOptions } from "../options/spec.js";
import type { ServerHooks } from "../run/index.js";
import { serveTable } from "../options/table.js";
import { readText, wholeNumber } from "../result/text.js";
import { EXIT, UsageError } from "./exit-codes.js";
import { pickOptions, type Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { profileFolder } from "./profile-option.js";
import { print } from "./output.js";
import { becomeUser, userNamed } from "./privileges.js";
import { renderSession } from "./session-line.js";

/** Resolves with the exit code once the server has ended. */
export async function serverCommand(values: Values): Promise<number> {
  const options = pickOptions(serveTable, values);
  const resolved = resolveServeOptions(options, "cli");
  const user = typeof values["user"] === "string" ? userNamed(values["user"]) : undefined;
  if (user !== undefined && resolved.dataPort > 0 && resolved.dataPort < unprivilegedPorts()) {
    throw new UsageError(`--data-port: ${resolved.dataPort} takes privileges, which --user gives up after the start`);
  }
  const profile = await profileFolder(values);
  if (user !== undefined && profile !== undefined) {
    throw new UsageError("--profile: perf takes privileges, which --user gives up after the start");
  }
  using interrupt = new Interrupt();
  const { serve } = await import("../run/index.js");
  const { NetperfAcceptor } = await import("../netperf/index.js");
  const log: ServerHooks = {
    ...(values["quiet"] !== true && {
      // A log that nobody reads any more is no reason to stop serving.
      onSession: (summary) => void print(`${renderSession(summary)}\n`).catch(() => undefined),
    }),
  };
  await using netperf = new NetperfAcceptor({ ...resolved, ...log, refusal: guestRefusal(resolved) });
  await using server = await serve({ ...options, ...log, profile, onOtherProtocol: netperf.accept });
  if (user !== undefined) becomeUser(user);
  const host = isIPv6(server.host) ? `[${server.host}]` : server.host;
  await print(`cnb-load server listening on ${host}:${server.port}\n`);
  await Promise.race([server.closed, stopRequest(interrupt.signal)]);
  return EXIT.done;
}

function unprivilegedPorts(): number {
  return wholeNumber(readText("/proc/sys/net/ipv4/ip_unprivileged_port_start")) ?? 1024;
}

/** Why netperf's clients may not come: their protocol knows neither a token nor TLS. */
function guestRefusal({ tokenFile, tlsCert, allowNetperf }: ResolvedServeOptions): string | undefined {
  if (allowNetperf || (tokenFile === "" && tlsCert === "")) return undefined;
  const asked = [tokenFile !== "" && "a token", tlsCert !== "" && "TLS"].filter(Boolean).join(" and ");
  return `this server asks for ${asked}, which netperf does not know; --allow-netperf lets its clients in all the same`;
}

/** A signal; or, for a server that another process started with a channel to itself, the end of that process. */
function stopRequest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
    if (process.channel !== undefined) process.once("disconnect", resolve);
  });
}
