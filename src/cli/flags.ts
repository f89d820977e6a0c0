/** From the table of options to commander's options and back. */
import { type Command, Option } from "commander";
import { defaultText } from "../options/kinds.js";
import { appliesTo } from "../options/names.js";
import type { Command as CommandName, Row, Table } from "../options/row.js";
import { UsageError } from "./exit-codes.js";

/** Values as commander collects them, by the flag's name in camel case. */
export type Values = Readonly<Record<string, unknown>>;

/** The options that apply to a command; without its name all of the table. */
export function addTableOptions(command: Command, table: Table, name?: CommandName): void {
  for (const row of Object.values(table)) {
    if (name !== undefined && !appliesTo(row, name)) continue;
    if ("switches" in row) {
      for (const [flag, value] of Object.entries(row.switches)) {
        command.addOption(new Option(flag, `${row.help} (${value === "ipv4" ? "IPv4" : "IPv6"})`));
      }
    } else {
      command.addOption(valueOption(row));
    }
  }
}

function valueOption(row: Row): Option {
  const option = new Option(row.flags, describe(row));
  // --no-delay takes a value like every other option; commander would take its "no" for a negation.
  option.negate = false;
  return option;
}

function describe(row: Row): string {
  if (row.kind === "flag") return row.help;
  const choices = row.kind === "choice" ? `${row.choices.join(", ")}; ` : "";
  return `${row.help} [${choices}default: ${defaultText(row)}]`;
}

/** The options that were given, by their names in the table. */
export function pickOptions(table: Table, values: Values): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    const value = "switches" in row ? pickSwitch(row.switches, values) : values[key];
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}

function pickSwitch(switches: Readonly<Record<string, string>>, values: Values): string | undefined {
  const given = Object.entries(switches).filter(([flag]) => values[flag.slice(1)] === true);
  if (given.length > 1) throw new UsageError(`${given.map(([flag]) => flag).join(" and ")} exclude each other`);
  return given[0]?.[1];
}
