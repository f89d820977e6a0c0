import { ControlClient } from "../control/client.js";
import { type CredentialSources, readCredentials } from "../control/credentials.js";
import { type ResolvedSpec, resolveRunOptions } from "../options/spec.js";
import { parseEndReport } from "../result/check.js";
import type { LinkFacts } from "../result/host.js";
import type { HostContext } from "../result/model.js";
import { type Environment, introduction, realEnvironment } from "./environment.js";

/** What a server tells of its host without any test being run. */
export interface Inspection {
  host: HostContext;
  /** Why engine `uring` cannot run there, or null where it can. */
  uringRefusal: string | null;
  /** Whether it runs on this machine. */
  sameHost: boolean;
  /** This host's end of the control connection. */
  localAddress: string;
}

/** Where the server is, and what to show it. */
export type ServerAddress = Pick<ResolvedSpec, "host" | "port" | "family"> & CredentialSources;

/**
 * Opens a session for a test of one flow and ends it before any flow connects: the server's report then holds nothing but its host.
 * Rejects with CnbLoadError as `run()` does.
 */
export async function inspectServer(
  { host, port, family, ...sources }: ServerAddress,
  signal: AbortSignal,
  environment: Environment = realEnvironment,
): Promise<Inspection> {
  // Asked for io_uring, the server says whether it has it.
  const spec = resolveRunOptions({ test: "tcp_rr", host, port, family, engine: "uring" });
  const { timing } = environment;
  const target = { host: spec.host, port, family, bind: undefined, ...(await readCredentials(sources, "client")) };
  const client = await ControlClient.connect(target, introduction(environment), timing, signal);
  try {
    await client.setup(spec, [], signal);
    const report = parseEndReport(await client.finish(timing.reportMs));
    const { sameHost, localAddress } = client;
    return { host: report.host, uringRefusal: report.engineRefusal ?? null, sameHost, localAddress };
  } finally {
    client.destroy();
  }
}

/** What only the addon can tell of this host. */
export interface NativeView {
  uring: { refusal: string | null };
  linkFacts: (interfaceName: string) => LinkFacts;
}

/** Throws ERR_PLATFORM where there is no addon. */
export function nativeView(environment: Environment = realEnvironment): NativeView {
  const addon = environment.addon();
  return { uring: { refusal: addon.uringUnavailableReason() }, linkFacts: (name) => addon.linkFacts(name) };
}
