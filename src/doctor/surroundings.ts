/** Everything that the checks of this host look at. */
import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { type HostSources, readHostContext } from "../result/host.js";
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
  /** What `ethtool -k` and `tc qdisc show` say of the interface; undefined where they could not be run. */
  ethtool: string | undefined;
  tc: string | undefined;
}

/** Text that a command wrote to stdout, or undefined where it could not be run or failed. */
export type RunTool = (command: string, args: readonly string[]) => Promise<string | undefined>;

/** Long enough for steal and other load to show in ticks of 10 ms. */
export const SAMPLE_MS = 1000;
const TOOL_MS = 2000;

/** Both tools are found below /usr/sbin, which is not on every user's PATH. */
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

export const runTool: RunTool = async (command, args) => {
  try {
    const env = { ...process.env, PATH, LC_ALL: "C" };
    return (await promisify(execFile)(command, [...args], { timeout: TOOL_MS, env })).stdout;
  } catch {
    return undefined;
  }
};

export interface Look {
  sources: HostSources;
  tool: RunTool;
  uring: UringSupport;
  /** This host's address on the way to the server; without it the interface of the default route is looked at. */
  localAddress: string | undefined;
  sampleMs?: number;
}

export async function lookAround({ sources, tool, uring, localAddress, sampleMs }: Look): Promise<Surroundings> {
  const { read, list, link } = sources;
  const context = readContext(sources, localAddress);
  const before = read("/proc/stat");
  const name = context.interface;
  const [ethtool, tc] = await Promise.all([
    name === undefined ? undefined : tool("ethtool", ["-k", name]),
    name === undefined ? undefined : tool("tc", ["qdisc", "show", "dev", name]),
    pause(sampleMs ?? SAMPLE_MS),
  ]);
  return { read, list, link, context, uring, stat: { before, after: read("/proc/stat") }, ethtool, tc };
}

function readContext(sources: HostSources, localAddress: string | undefined): HostContext {
  const name = localAddress === undefined ? defaultInterface(sources) : undefined;
  if (name === undefined) return readHostContext(localAddress, sources);
  // By its name, which a scope is: os.networkInterfaces() leaves out those that are down, the doctor shall not.
  const interfaces = (): Interfaces => ({ [name]: [] });
  return readHostContext(`::%${name}`, { ...sources, interfaces });
}
