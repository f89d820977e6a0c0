/** The machine and the tools, as far as figures depend on them. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { allowedCpus, placeOneFlow } from "../../dist/cli/placement.js";
import { packageVersion } from "../../dist/result/version.js";
import { significant } from "../shared/format.js";
import type { Contender } from "./model.js";

export interface Machine {
  kernel: string;
  cpuModel: string;
  cpus: number;
  virtual: boolean;
  memoryBytes: number;
  congestionControl: string;
  governor: string;
  node: string;
  cnbLoad: string;
  /** Of the last minute, when the bench began: above a few tenths the machine was not quiet. */
  loadAverage: number;
  /** Name → what it says of its version. */
  tools: Record<string, string>;
}

function firstLine(path: string): string {
  try {
    return (readFileSync(path, "utf8").split("\n")[0] ?? "").trim();
  } catch {
    return "";
  }
}

/** Arguments that make each tool tell its version, and where in its words that is. */
const VERSIONS: Readonly<Record<string, readonly [args: readonly string[], pattern: RegExp]>> = {
  netperf: [["-V"], /version (\S+)/i],
  iperf3: [["--version"], /iperf (\S+)/],
  neper: [["--version"], /(\d[\w.]*)/],
  sockperf: [["--version"], /version ([\d.]+)/],
  qperf: [["--version"], /qperf (\S+)/],
};

function versionOf(contender: Contender, cwd: string): string {
  const [args, pattern] = VERSIONS[contender.name] ?? [[], /$^/];
  const { stdout, stderr } = spawnSync(contender.programs("rr")[0] ?? "", args, {
    cwd,
    encoding: "utf8",
    timeout: 5_000,
  });
  return pattern.exec(`${stdout}\n${stderr}`)?.[1] ?? "unknown version";
}

/** `directory`: where tools may leave log files. */
export function describeMachine(peers: readonly Contender[], directory: string): Machine {
  const [first] = cpus();
  return {
    kernel: `Linux ${release()}`,
    cpuModel: first?.model.trim() ?? "unknown",
    cpus: availableParallelism(),
    virtual: readFileSync("/proc/cpuinfo", "utf8").includes(" hypervisor"),
    memoryBytes: totalmem(),
    congestionControl: firstLine("/proc/sys/net/ipv4/tcp_congestion_control"),
    governor: firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    node: process.version,
    cnbLoad: packageVersion(),
    loadAverage: loadavg()[0] ?? 0,
    tools: Object.fromEntries(
      peers.filter(({ name }) => name in VERSIONS).map((peer) => [peer.name, versionOf(peer, directory)]),
    ),
  };
}

/** One line per fact. */
export function machineLines(machine: Machine): string[] {
  const tools = Object.entries(machine.tools).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.kernel}, ${machine.cpuModel}${machine.virtual ? " (virtual machine)" : ""}, ${machine.cpus} CPUs, ${significant(machine.memoryBytes / 2 ** 30)} GiB`,
    `congestion control ${machine.congestionControl}${machine.governor === "" ? "" : `, governor ${machine.governor}`}`,
    [`cnb-load ${machine.cnbLoad} (Node ${machine.node})`, ...tools].join(", "),
    `load average when the bench began: ${machine.loadAverage.toFixed(2)}`,
  ];
}

/** The first allowed CPU, and one of another core where there is one. */
export function chooseCpus(): { client: number; server: number | undefined } {
  const allowed = allowedCpus();
  const places = placeOneFlow(allowed);
  return { client: places?.cpus[0] ?? allowed[0] ?? 0, server: places?.serverCpus[0] };
}
