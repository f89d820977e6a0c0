/** Manual pages, from the same as `--help`. scripts/man-pages.mjs writes them into the package. */
import type { Command } from "commander";
import { type Verb, verbsOf } from "./grammar.js";

export interface Page {
  /** Such as "cnb-load-rr.1". */
  file: string;
  text: string;
}

export function manPages(program: Command, version: string): Page[] {
  // netperf and netserver have options of their own, which docs/netperf.md tells.
  const verbs = verbsOf(program).filter(({ name, flags }) => name === "" || flags.length > 0);
  return verbs.map((verb) => {
    const name = pageName(verb);
    const command = program.commands.find((candidate) => candidate.name() === verb.name) ?? program;
    return { file: `${name}.1`, text: page(verb, verbs, command, version) };
  });
}

function pageName({ name }: Verb): string {
  return name === "" ? "cnb-load" : `cnb-load-${name}`;
}

function page(verb: Verb, verbs: readonly Verb[], command: Command, version: string): string {
  const name = pageName(verb);
  const usage = command.createHelp().commandUsage(command);
  const others = verbs.filter((other) => other !== verb).map((other) => `.BR ${escaped(pageName(other))} (1)`);
  return [
    `.TH ${escaped(name.toUpperCase())} 1 "" "cnb-load ${version}" "User Commands"`,
    ".SH NAME",
    line(`${name} - ${verb.help}`),
    ".SH SYNOPSIS",
    `.B ${escaped(usage)}`,
    ...section(
      "ARGUMENTS",
      verb.operands
        .filter(({ help }) => help !== "")
        .flatMap(({ name: operand, help }) => [".TP", `.I ${escaped(operand)}`, line(help)]),
    ),
    ...section(
      "OPTIONS",
      verb.flags.flatMap(({ text, help }) => [".TP", `.B ${escaped(text)}`, line(help)]),
    ),
    ...section(
      "COMMANDS",
      verb.name === ""
        ? verbs
            .filter((other) => other !== verb)
            .flatMap((other) => [".TP", `.B ${escaped(other.name)}`, line(other.help)])
        : [],
    ),
    ...section("NOTES", [".nf", ...notesOf(command).split("\n").map(line), ".fi"]),
    ".SH SEE ALSO",
    others.join(",\n"),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

/** What `--help` says below the options. */
function notesOf(command: Command): string {
  let help = "";
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (text) => (help += text) });
  command.outputHelp();
  command.configureOutput(before);
  return help.slice(command.helpInformation().length).trim();
}

/** A line of text: one that begins with a dot or a quote would be a request. */
function line(text: string): string {
  const safe = escaped(text);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
