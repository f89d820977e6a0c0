/** `cnb-load netserver`, `cnb-netserver`: netserver's command line in front of the one server. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CnbLoadError } from "../errors.js";
import {
  NetperfAcceptor,
  NetperfExit,
  type NetserverSettings,
  failedLine,
  listenAddress,
  parseNetserver,
  startedLine,
} from "../netperf/index.js";
import { resolveServeOptions } from "../options/spec.js";
import { Interrupt } from "./interrupt.js";
import { note, print } from "./output.js";

const BIN = fileURLToPath(new URL("./netserver-bin.js", import.meta.url));

/** What the process in the background tells the one that started it. */
type Report = { port: number } | { failure: string };

/** Resolves with the exit code: at once where it went to the background and listens there, else when the server has ended. */
export async function netserverCommand(args: readonly string[]): Promise<number> {
  try {
    const settings = parseNetserver(args);
    return settings.foreground ? await stay(settings) : await leave(settings, args);
  } catch (error) {
    if (!(error instanceof NetperfExit)) throw error;
    await print(error.out);
    note(error.err);
    return error.code;
  }
}

async function stay(settings: NetserverSettings): Promise<number> {
  const { passphrase, single } = settings;
  const options = { host: listenAddress(settings), port: settings.port, ...(single && { maxSessions: 1 }) };
  // Clients of cnb-load know nothing of passphrases: where one is asked for they stay outside.
  const closed = passphrase !== undefined && { token: randomBytes(32).toString("hex") };
  using interrupt = new Interrupt();
  const { serve } = await import("../run/index.js");
  try {
    await using netperf = new NetperfAcceptor({ ...resolveServeOptions(options), passphrase, single });
    await using server = await serve({ ...options, ...closed, onOtherProtocol: netperf.accept });
    if (process.send === undefined) await print(startedLine(settings, server.port));
    else tellStarter({ port: server.port });
    await Promise.race([server.closed, aborted(interrupt.signal)]);
    return 0;
  } catch (error) {
    if (!(error instanceof CnbLoadError)) throw error;
    if (process.send !== undefined) tellStarter({ failure: error.message });
    else await fail(settings, error.message);
    return 1;
  }
}

async function fail(settings: NetserverSettings, reason: string): Promise<void> {
  await print(failedLine(settings));
  note(`netserver: ${reason}\n`);
}

function tellStarter(report: Report): void {
  process.send?.(report, () => {
    if (process.connected) process.disconnect();
  });
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

/** Starts the server in a session of its own, and waits until it listens. */
async function leave(settings: NetserverSettings, args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [BIN, "-D", ...args], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const report = await new Promise<Report>((resolve) => {
    child.once("message", (message) => resolve(message as Report));
    child.once("error", (error) => resolve({ failure: error.message }));
    child.once("exit", (code) => resolve({ failure: `the server ended with code ${code}` }));
  });
  if ("failure" in report) {
    await fail(settings, report.failure);
    return 1;
  }
  await print(startedLine(settings, report.port));
  if (child.connected) child.disconnect();
  child.unref();
  return 0;
}
