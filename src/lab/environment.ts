/** The machine, for the report. */
import { readFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import type { Environment } from "./document.js";
import { versionOf } from "./tools.js";

const TOOLS: Record<string, readonly string[]> = {
  iproute2: ["ip", "-V"],
  iptables: ["iptables", "--version"],
  conntrack: ["conntrack", "--version"],
  clang: ["clang", "--version"],
  bpftool: ["bpftool", "version"],
  tcpdump: ["tcpdump", "--version"],
  perf: ["perf", "--version"],
};

export async function describeEnvironment(): Promise<Environment> {
  const tools: Record<string, string> = {};
  for (const [name, words] of Object.entries(TOOLS)) {
    const version = await versionOf(words);
    if (version !== undefined) tools[name] = version;
  }
  const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    kernel: release(),
    cpuModel: cpus()[0]?.model ?? "unknown",
    cpus: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    version: manifest.version,
    tools,
  };
}
