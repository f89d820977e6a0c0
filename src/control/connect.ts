import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { type Socket, connect, isIP } from "node:net";
import { CnbLoadError } from "../errors.js";
import { unlessAborted } from "./abort.js";

export interface ControlTarget {
  host: string;
  port: number;
  family: "any" | "ipv4" | "ipv6";
  /** Local address of the connection, undefined lets the kernel choose. */
  bind: string | undefined;
}

const FAMILIES = { any: 0, ipv4: 4, ipv6: 6 } as const;

/**
 * A connection to the first of the host's addresses that answers. Each may take its share of the time that is left, so that one
 * that swallows packets leaves some to the others. Throws ERR_CONNECT, ERR_INVALID_OPTION for `bind`, or the signal's reason.
 */
export async function connectControl(target: ControlTarget, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  const deadline = performance.now() + timeoutMs;
  const addresses = await unlessAborted(resolve(target), signal);
  let failure: unknown;
  for (const [index, address] of addresses.entries()) {
    const shareMs = Math.max(100, (deadline - performance.now()) / (addresses.length - index));
    try {
      return await attempt(target, address, shareMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
  }
  throw failure;
}

async function resolve(target: ControlTarget): Promise<string[]> {
  const bound = target.bind === undefined ? 0 : isIP(target.bind);
  try {
    const found = await lookup(target.host, { all: true, family: bound === 0 ? FAMILIES[target.family] : bound });
    return found.map(({ address }) => address);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const wanted = target.family === "any" ? "" : ` over ${target.family === "ipv4" ? "IPv4" : "IPv6"}`;
    const text = `cannot resolve ${target.host}${wanted}: ${code ?? String(cause)}`;
    throw new CnbLoadError("ERR_CONNECT", text, { cause, syscall: "getaddrinfo" });
  }
}

async function attempt(
  target: ControlTarget,
  address: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const { port, bind } = target;
  const where = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const socket = connect({ host: address, port, ...(bind !== undefined && { localAddress: bind }) });
  const timer = setTimeout(() => {
    const text = `cannot connect to ${where}: no answer within ${(timeoutMs / 1000).toFixed(1)} s`;
    socket.destroy(new CnbLoadError("ERR_CONNECT", text, { syscall: "connect", address: where }));
  }, timeoutMs);
  try {
    await unlessAborted(once(socket, "connect"), signal);
    return socket;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    throw error instanceof CnbLoadError || signal.aborted
      ? error
      : explain(error as NodeJS.ErrnoException, target, where);
  } finally {
    clearTimeout(timer);
  }
}

function explain(cause: NodeJS.ErrnoException, target: ControlTarget, where: string): CnbLoadError {
  const errno = positive(cause.errno);
  if (cause.syscall === "bind") {
    const text = `bind: cannot use ${target.bind} as a local address: ${cause.code}`;
    return new CnbLoadError("ERR_INVALID_OPTION", text, {
      cause,
      syscall: "bind",
      errno,
      address: target.bind,
      option: "bind",
    });
  }
  const hint = cause.code === "ECONNREFUSED" ? " (is `cnb-load server` running there?)" : "";
  const text = `cannot connect to ${where}: ${cause.code ?? cause.message}${hint}`;
  return new CnbLoadError("ERR_CONNECT", text, { cause, syscall: "connect", errno, address: where });
}

function positive(errno: number | undefined): number | undefined {
  return typeof errno === "number" ? Math.abs(errno) : undefined;
}
