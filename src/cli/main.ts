#!/usr/bin/env node
import { CommanderError } from "commander";
import { conclude } from "./conclude.js";
import { EXIT } from "./exit-codes.js";
import { settleJson } from "./json-option.js";
import { surviveClosedStreams } from "./output.js";
import { buildProgram } from "./program.js";
import { checkCommandName, isHelp, usageError } from "./usage.js";

/** netperf's own command lines, which commander must not read. */
async function runNetperf([name, ...args]: readonly string[]): Promise<number | undefined> {
  if (name === "netperf") return (await import("./netperf.js")).netperfCommand(args);
  if (name === "netserver") return (await import("./netserver.js")).netserverCommand(args);
  return undefined;
}

async function main(args: readonly string[]): Promise<number> {
  const netperfCode = await runNetperf(args).catch((error: unknown) => conclude([error]));
  if (netperfCode !== undefined) return netperfCode;
  let exitCode: number = EXIT.done;
  const program = buildProgram((code) => {
    exitCode = code;
  });
  try {
    checkCommandName(program, args);
    await program.parseAsync(settleJson(program, args), { from: "user" });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && isHelp(thrown)) return EXIT.done;
    const error = thrown instanceof CommanderError ? usageError(program, args, thrown) : thrown;
    return conclude([error]);
  }
}

surviveClosedStreams();
process.exit(await main(process.argv.slice(2)));
