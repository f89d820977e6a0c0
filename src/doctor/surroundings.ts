/** Everything that the checks of this host look at. */
import { setTimeout as pause } from "node:timers/promises";
import { type HostSources, type LinkFacts, readHostContext, withLinkFacts } from "../result/host.js";
import type { Interfaces } from "../result/interface.js";
import type { HostContext } from "../result/model.js";
import { defaultInterface } from "./files.js";

/** The addon's word on io_uring, or why there is no addon to ask. */
export type UringSupport = { refusal: string | null } | { error: string };

export interface Surroundings extends Pick<HostSources, "read" | "list" | "link"> {
  context: HostContext;
  uring: UringSupport;
  /** /proc/stat twice, {@link SAMPLE_MS} apart. */
  stat: { before: string | undefined; after: string | undefined };
}

/** Long enough for steal and other load to show in ticks of 10 ms. */
export const SAMPLE_MS = 1000;

export interface Look {
  sources: HostSources;
  /** What the addon knows of an interface; nothing where there is no addon. */
  linkFacts: (name: string) => LinkFacts;
  uring: UringSupport;
  /** This host's address on the way to the server; without it the interface of the default route is looked at. */
  localAddress: string | undefined;
  sampleMs?: number;
}

export async function lookAround({ sources, linkFacts, uring, localAddress, sampleMs }: Look): Promise<Surroundings> {
  const { read, list, link } = sources;
  const context = withLinkFacts(readContext(sources, localAddress), linkFacts);
  const before = read("/proc/stat");
  await pause(sampleMs ?? SAMPLE_MS);
  return { read, list, link, context, uring, stat: { before, after: read("/proc/stat") } };
}

function readContext(sources: HostSources, localAddress: string | undefined): HostContext {
  const name = localAddress === undefined ? defaultInterface(sources) : undefined;
  if (name === undefined) return readHostContext(localAddress, sources);
  // By its name, which a scope is: os.networkInterfaces() leaves out those that are down, the doctor shall not.
  const interfaces = (): Interfaces => ({ [name]: [] });
  return readHostContext(`::%${name}`, { ...sources, interfaces });
}
