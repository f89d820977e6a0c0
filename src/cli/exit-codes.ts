import { CnbLoadError, type ErrorCode } from "../errors.js";
import { flagOf } from "../options/names.js";
import { accessTable, runTable, serveTable } from "../options/table.js";
import type { Row, Table } from "../options/row.js";
import { OutputError } from "./output.js";

export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3, refused: 4, interrupted: 130 } as const;

/** Wrong words on the command line; the message is one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const CODES: Partial<Record<ErrorCode, number>> = {
  ERR_INVALID_OPTION: EXIT.usage,
  ERR_CONNECT: EXIT.unreachable,
  ERR_BUSY: EXIT.refused,
  ERR_AUTH: EXIT.refused,
  ERR_LIMIT: EXIT.refused,
  ERR_VERSION: EXIT.refused,
};

/** What these mean depends on whether a session had begun. */
const GREETING_CODES: readonly ErrorCode[] = ["ERR_TIMEOUT", "ERR_PROTOCOL", "ERR_PEER_LOST"];

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof CnbLoadError)) return EXIT.failed;
  // A peer that does not greet as a cnb-load server is reported with the plain fault as its cause.
  const greeting = GREETING_CODES.includes(error.code) && error.cause instanceof CnbLoadError;
  return greeting ? EXIT.unreachable : (CODES[error.code] ?? EXIT.failed);
}

/** One line for people, its options named as flags. A fault of this program itself shows its stack. */
export function errorLine(error: unknown): string {
  if (error instanceof CnbLoadError) return oneLine(nameAsFlag(error));
  if (error instanceof UsageError || error instanceof OutputError) return oneLine(error.message);
  return `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}

/** Errors from further down name an option as it is called in code, with a colon after it. */
function nameAsFlag({ message, option }: CnbLoadError): string {
  const row = option === undefined ? undefined : rowOf(option);
  if (option === undefined || row === undefined) return message;
  const name = `${option}: `;
  const at = message.indexOf(name);
  if (at < 0) return message;
  // Of other options only those of TLS are named in one's message; no part of a path is meant.
  const rest = message.slice(at + name.length).replace(/(?<![\w./-])tls[A-Z]\w+(?![\w./-])/g, (other) => {
    const named = rowOf(other);
    return named === undefined ? other : flagOf(named);
  });
  return `${message.slice(0, at)}${flagOf(row)}: ${rest}`;
}

/** Own properties only: the name may be a peer's word. */
function rowOf(option: string): Row | undefined {
  const tables: Table[] = [runTable, accessTable, serveTable];
  return tables.find((table) => Object.hasOwn(table, option))?.[option];
}
