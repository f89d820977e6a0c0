/** Turns what commander objects to into one line that names the option. */
import type { Command, CommanderError } from "commander";
import { nearest } from "../options/invalid.js";
import { findByFlag } from "../options/names.js";
import { accessTable, runTable, serveTable } from "../options/table.js";
import { UsageError } from "./exit-codes.js";

/** Help and version count as errors for commander, too. */
export function isHelp(error: CommanderError): boolean {
  return error.exitCode === 0;
}

/** Checked before anything else: after a mistyped command every option would be unknown as well. */
export function checkCommandName(program: Command, args: readonly string[]): void {
  const [name] = args;
  if (name === undefined || name.startsWith("-")) return;
  const names = program.commands.map((command) => command.name());
  if (names.includes(name)) return;
  // netperf's names: TCP_RR is rr, UDP_STREAM is udp-stream.
  const plain = name.toLowerCase().replaceAll("_", "-");
  const meant = [plain, plain.replace(/^tcp-/, "")].find((own) => names.includes(own)) ?? nearest(name, names);
  const hint = meant === undefined ? `expected one of ${names.join(", ")}` : `did you mean ${meant}?`;
  throw new UsageError(`unknown command ${JSON.stringify(name)}; ${hint}`);
}

export function usageError(program: Command, args: readonly string[], error: CommanderError): UsageError {
  const command = program.commands.find((candidate) => candidate.name() === args[0]) ?? program;
  const [, quoted = ""] = /'([^']*)'/.exec(error.message) ?? [];
  const [flag = ""] = quoted.split(/[ =]/);
  switch (error.code) {
    case "commander.unknownOption":
      return new UsageError(`${flag}: ${explainUnknown(command, flag)}`);
    case "commander.optionMissingArgument":
      return new UsageError(`${longFlag(quoted)}: expected a value, got none`);
    case "commander.missingArgument":
      return new UsageError(`${quoted}: missing; usage: ${usageOf(command)}`);
    case "commander.excessArguments": {
      const excess = command.args.slice(command.registeredArguments.length).map((word) => JSON.stringify(word));
      return new UsageError(`${excess.join(" ")}: too many arguments; usage: ${usageOf(command)}`);
    }
    default:
      return new UsageError(error.message.replace(/^error: /, ""));
  }
}

function usageOf(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? name : `[${name}]`;
  });
  const own = command.parent === null ? [] : [command.name()];
  return ["cnb-load", ...own, ...words, "[options]"].join(" ");
}

/** iperf3's short options that cnb-load does not have, by what does the same here. */
const IPERF3: Readonly<Record<string, string>> = {
  "-c": "the word after the command: cnb-load stream HOST",
  "-s": "cnb-load server",
  "-t": "--duration",
  "-n": "no option: runs have a --duration",
  "-b": "--bandwidth",
  "-u": "cnb-load udp-stream HOST",
  "-R": "cnb-load maerts HOST",
  "-w": "--sndbuf and --rcvbuf",
  "-O": "--warmup",
  "-C": "--congestion",
  "-M": "--mss",
  "-N": "--no-delay on",
  "-Z": "--zerocopy sendfile",
  "-A": "--cpus and --server-cpus",
  "-B": "--bind",
  "-J": "--json",
};

function explainUnknown(command: Command, flag: string): string {
  const found = [runTable, accessTable, serveTable]
    .map((table) => findByFlag(table, flag))
    .find((row) => row !== undefined);
  if (found !== undefined) return `does not apply to ${command.name()}, only to ${found.row.commands.join(", ")}`;
  const known = command.options.flatMap(({ long, short }) => [long ?? short ?? ""]);
  const meant = flag.startsWith("--") ? nearest(flag, known) : undefined;
  const iperf3 = flag.startsWith("--") ? undefined : IPERF3[flag.slice(0, 2)];
  if (iperf3 !== undefined) return `unknown option; what iperf3 calls ${flag.slice(0, 2)} is ${iperf3}`;
  return meant === undefined ? "unknown option" : `unknown option; did you mean ${meant}?`;
}

/** "-l, --duration <time>" is "--duration". */
function longFlag(flags: string): string {
  return /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags;
}
