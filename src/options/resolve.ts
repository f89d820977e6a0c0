import { CnbLoadError } from "../errors.js";
import { type InMemory, type ResolvedAccess, splitAccess } from "./access.js";
import { parseHost } from "./addresses.js";
import { checkTogether } from "./checks.js";
import type { RunOptions, ServeOptions } from "./inputs.js";
import { conflictingOption, invalidOption, nearest } from "./invalid.js";
import { expectedText, parseValue } from "./kinds.js";
import { TESTS, type NamingStyle, appliesTo, flagOf, isUdp, optionName } from "./names.js";
import type { ResolvedServeOptions, ResolvedSpec, TestName } from "./resolved.js";
import type { Command, OutputsOf, Row, Table } from "./row.js";
import { accessTable, runTable, serveTable } from "./table.js";

/**
 * Every option of a run with its default filled in, checked alone and together. Throws CnbLoadError ERR_INVALID_OPTION whose
 * message names the option in the caller's style, what was expected and what came.
 */
export function resolveRunOptions(input: RunOptions, style: NamingStyle = "api"): ResolvedSpec {
  const { test, host, ...rest } = splitAccess(asRecord(input)).rest;
  if (typeof test !== "string" || !Object.hasOwn(TESTS, test)) {
    throw invalidOption("test", `one of ${Object.keys(TESTS).join(", ")}`, test);
  }
  const address = typeof host === "string" ? parseHost(host) : undefined;
  if (address === undefined) {
    const portHint = typeof host === "string" && /:\d+$/.test(host) ? " (the port is an option of its own)" : "";
    throw invalidOption(style === "cli" ? "HOST" : "host", `a host name or an address${portHint}`, host);
  }
  const name = test as TestName;
  const spec: ResolvedSpec = { test: name, host: address, ...resolveTable(runTable, rest, TESTS[name], name, style) };
  checkTogether(spec, style);
  return spec;
}

/** What of the options of a run stays on this host: who the client is. Throws as {@link resolveRunOptions} does. */
export function resolveAccess(input: object, style: NamingStyle = "api"): ResolvedAccess {
  const { token, ...rest } = splitAccess(asRecord(input)).access;
  return { ...resolveTable(accessTable, rest, "rr", "a run", style), ...inMemory(token, rest["tokenFile"]) };
}

/** Every option of a server with its default filled in; throws as {@link resolveRunOptions} does. */
export function resolveServeOptions(
  input: ServeOptions = {},
  style: NamingStyle = "api",
): ResolvedServeOptions & InMemory {
  const { token, ...rest } = asRecord(input);
  return { ...resolveTable(serveTable, rest, "server", "a server", style), ...inMemory(token, rest["tokenFile"]) };
}

/** The message never shows what came: it may be the secret. */
function inMemory(token: unknown, tokenFile: unknown): InMemory {
  if (token === undefined) return {};
  if (tokenFile !== undefined) throw conflictingOption("token", "tokenFile was given as well");
  if (typeof token !== "string")
    throw conflictingOption("token", `expected a text, got a value of type ${typeof token}`);
  return { token };
}

/**
 * A resolved spec that came from a peer, checked as if its options had been written here and rebuilt from nothing but known fields.
 * Throws CnbLoadError ERR_INVALID_OPTION that names the option.
 */
export function checkResolvedSpec(value: unknown): ResolvedSpec {
  const fields = asRecord(value);
  const input: Record<string, unknown> = { test: fields["test"], host: fields["host"] };
  const command = TESTS[fields["test"] as TestName];
  for (const [key, row] of Object.entries<Row>(runTable)) {
    const field = fields[row.field];
    if (field === undefined) throw invalidOption(key, expectedText(row), field);
    if (!isDefault(field, defaultOf(row, command))) input[key] = row.kind === "duration" ? inSeconds(field) : field;
  }
  const spec = resolveRunOptions(input as unknown as RunOptions);
  if (spec.sendSizeBytes === 0 && !isUdp(spec.test)) {
    throw invalidOption("sendSize", "the size that the client's probes have found", spec.sendSizeBytes);
  }
  return spec;
}

/** Durations cross the wire in ns; anything that is no number is left for the row to refuse. */
function inSeconds(ns: unknown): unknown {
  return typeof ns === "number" ? `${ns}ns` : ns;
}

function isDefault(value: unknown, fallback: unknown): boolean {
  return value === fallback || (Array.isArray(fallback) && Array.isArray(value) && value.length === 0);
}

function resolveTable<T extends Table>(
  table: T,
  input: Record<string, unknown>,
  command: Command,
  subject: string,
  style: NamingStyle,
): OutputsOf<T> {
  for (const key of Object.keys(input)) {
    if (!Object.hasOwn(table, key)) throw unknownOption(key, table);
  }
  const resolved: Record<string, unknown> = {};
  for (const [key, row] of Object.entries(table)) {
    const value = input[key];
    if (isLeftOut(value, row.default)) {
      resolved[row.field] = structuredClone(defaultOf(row, command));
      continue;
    }
    const name = optionName(style, key, row);
    if (!appliesTo(row, command)) throw doesNotApply(name, row.commands, subject, style);
    const parsed = parseValue(row, value);
    if (parsed === undefined) throw invalidOption(name, expectedText(row), value);
    resolved[row.field] = parsed;
  }
  return resolved as OutputsOf<T>;
}

function defaultOf(row: Row, command: Command): unknown {
  return "defaultFor" in row ? (row.defaultFor[command] ?? row.default) : row.default;
}

function isLeftOut(value: unknown, fallback: unknown): boolean {
  return value === undefined || (value === null && fallback === null);
}

function asRecord(input: unknown): Record<string, unknown> {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) return { ...input };
  throw invalidOption("options", "an object", input);
}

function doesNotApply(option: string, commands: readonly Command[], subject: string, style: NamingStyle): CnbLoadError {
  const tests = Object.entries(TESTS).filter(([, command]) => commands.includes(command));
  const names = inWords(tests.map(([test, command]) => (style === "cli" ? command : test)));
  const about = style === "cli" && Object.hasOwn(TESTS, subject) ? TESTS[subject as TestName] : subject;
  return new CnbLoadError("ERR_INVALID_OPTION", `${option}: does not apply to ${about}, only to ${names}`, { option });
}

/** "a", "a and b", "a, b and c" */
function inWords(names: readonly string[]): string {
  const [last = "", ...others] = [...names].reverse();
  return others.length === 0 ? last : `${others.reverse().join(", ")} and ${last}`;
}

function unknownOption(key: string, table: Table): CnbLoadError {
  const flag = Object.entries(table).find(([, row]) => flagOf(row) === key)?.[0];
  const meant = flag ?? nearest(key, Object.keys(table));
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return new CnbLoadError("ERR_INVALID_OPTION", `${key}: unknown option${hint}`, { option: key });
}
