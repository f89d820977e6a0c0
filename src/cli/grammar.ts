/** The command line as data, read off the commander program, which the tables of options fill: what completions and manual pages are made of. */
import type { Command } from "commander";
import { findByFlag } from "../options/names.js";
import { runTable, serveTable } from "../options/table.js";
import { PRESETS } from "../suite/presets.js";
import { FORMATS } from "./report.js";

/** What a word may be. */
export type Word =
  | { is: "one of"; words: readonly string[] }
  | { is: "a file" }
  | { is: "a folder" }
  | { is: "a host" }
  | { is: "anything" };

export interface Flag {
  /** Such as "-P" and "--flows"; at least one is there. */
  short: string | undefined;
  long: string | undefined;
  /** As in help: "-P, --flows <n>". */
  text: string;
  help: string;
  value: { word: Word; name: string; optional: boolean } | undefined;
}

export interface Verb {
  /** "" for cnb-load without a command. */
  name: string;
  help: string;
  flags: readonly Flag[];
  operands: readonly { name: string; help: string; word: Word; many: boolean }[];
}

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Values of options that no table has. */
const WORDS: Readonly<Record<string, readonly string[]>> = { "--preset": PRESETS, "--format": Object.keys(FORMATS) };

/** The program itself and each of its commands. */
export function verbsOf(program: Command): readonly Verb[] {
  return [program, ...program.commands].map((command) => ({
    name: command === program ? "" : command.name(),
    help: command.description(),
    flags: flagsOf(command),
    operands: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      help: argument.description,
      word: operandWord(argument.name()),
      many: argument.variadic,
    })),
  }));
}

function flagsOf(command: Command): Flag[] {
  const options = command.createHelp().visibleOptions(command);
  return options.map((option) => {
    const name = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
    const value =
      name === undefined ? undefined : { name, optional: option.optional, word: valueWord(option.long, name) };
    return { short: option.short, long: option.long, text: option.flags, help: option.description, value };
  });
}

function valueWord(flag: string | undefined, name: string): Word {
  const row = flag === undefined ? undefined : (findByFlag(runTable, flag) ?? findByFlag(serveTable, flag))?.row;
  if (row?.kind === "choice") return { is: "one of", words: row.choices };
  if (row?.kind === "onOff") return { is: "one of", words: ["on", "off"] };
  const words = flag === undefined ? undefined : WORDS[flag];
  if (words !== undefined) return { is: "one of", words };
  if (name === "file") return { is: "a file" };
  return name === "folder" ? { is: "a folder" } : { is: "anything" };
}

function operandWord(name: string): Word {
  if (name === "HOST") return { is: "a host" };
  if (["FILE", "BASE", "NEW"].includes(name)) return { is: "a file" };
  if (name === "SHELL") return { is: "one of", words: SHELLS };
  return name === "clean" ? { is: "one of", words: ["clean"] } : { is: "anything" };
}
