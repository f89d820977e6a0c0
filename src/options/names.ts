import type { TestName } from "./resolved.js";
import type { Command, Row, RunCommand, Table } from "./row.js";

/** Who wrote the options, so that messages name them the same way: `flows` in code, `--flows` on the command line. */
export type NamingStyle = "api" | "cli";

export const TESTS = {
  tcp_stream: "stream",
  tcp_maerts: "maerts",
  tcp_rr: "rr",
  tcp_crr: "crr",
  tcp_cc: "cc",
  udp_stream: "udp-stream",
  udp_rr: "udp-rr",
} as const satisfies Record<TestName, RunCommand>;

/** Whether every transaction of a test is a connection of its own. */
export const makesConnections = (test: TestName): boolean => test === "tcp_crr" || test === "tcp_cc";

/** Whether a test moves bulk data, which is counted in bytes; others are counted in transactions. */
export const isBulk = (test: TestName): boolean =>
  test === "tcp_stream" || test === "tcp_maerts" || test === "udp_stream";

/** Whether a test's flows are of UDP. */
export const isUdp = (test: TestName): boolean => test === "udp_stream" || test === "udp_rr";

/** The long flag of a row ("--flows"), or all of its switches ("-4, -6"). */
export function flagOf(row: Row): string {
  return /--[a-z0-9-]+/.exec(row.flags)?.[0] ?? row.flags;
}

export function optionName(style: NamingStyle, key: string, row: Row | undefined): string {
  return style === "cli" && row !== undefined ? flagOf(row) : key;
}

export function appliesTo(row: Row, command: Command): boolean {
  return row.commands.includes(command);
}

/** The row that owns a flag such as "--flows" or "-P", with its key. */
export function findByFlag(table: Table, flag: string): { key: string; row: Row } | undefined {
  for (const [key, row] of Object.entries(table)) {
    if (row.flags.split(/[ ,]+/).includes(flag)) return { key, row };
  }
  return undefined;
}
