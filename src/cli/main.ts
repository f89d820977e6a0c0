#!/usr/bin/env node
import { CommanderError } from "commander";
import { conclude } from "./conclude.js";
import { EXIT } from "./exit-codes.js";
import { settleJson } from "./json-option.js";
import { surviveClosedStreams } from "./output.js";
import { buildProgram } from "./program.js";
import { checkCommandName, isHelp, usageError } from "./usage.js";

async function main(args: readonly string[]): Promise<number> {
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
