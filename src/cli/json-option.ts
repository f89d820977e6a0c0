import { type Command, Option } from "commander";

const FLAG = "--json";

/** What a command was told about JSON: not asked for, to stdout, or into a file. */
export type JsonTarget = { to: "nowhere" } | { to: "stdout" } | { to: "file"; path: string };

export function jsonOption(): Option {
  return new Option(
    "--json [file]",
    "write the result as JSON: to stdout in place of the table, or into a file beside it",
  );
}

export function jsonTarget(value: unknown): JsonTarget {
  if (value === undefined) return { to: "nowhere" };
  return typeof value !== "string" || value === "" || value === "-" ? { to: "stdout" } : { to: "file", path: value };
}

/**
 * Settles whether the word after a bare `--json` is its file: it is one unless the command needs it as its host, or it names a
 * command. The answer is written into the arguments as `--json=file` or `--json=`, which leave nothing open.
 */
export function settleJson(program: Command, args: readonly string[]): string[] {
  const settled: string[] = [];
  let command = program;
  let operands = 0;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (word === "--") return [...settled, ...args.slice(at)];
    const next = args[at + 1];
    if (word === FLAG) {
      const isFile = next !== undefined && !isFlag(next) && isFree(command, next, operands, args.slice(at + 2));
      settled.push(isFile ? `${FLAG}=${next}` : `${FLAG}=`);
      if (isFile) at++;
    } else if (takesValue(command, word)) {
      settled.push(word, ...(next === undefined ? [] : [next]));
      at++;
    } else {
      settled.push(word);
      const named = operands === 0 && command === program ? findCommand(program, word) : undefined;
      if (named !== undefined) command = named;
      else if (!isFlag(word)) operands++;
    }
  }
  return settled;
}

/** Whether the command finds its operands among the other words, so that this one may be a file. */
function isFree(command: Command, word: string, before: number, after: readonly string[]): boolean {
  if (findCommand(command, word) !== undefined) return false;
  let operands = before;
  for (let at = 0; at < after.length; at++) {
    const other = after[at] as string;
    if (takesValue(command, other)) at++;
    else if (!isFlag(other)) operands++;
  }
  return operands >= command.registeredArguments.length;
}

function findCommand(command: Command, name: string): Command | undefined {
  return command.commands.find((candidate) => candidate.name() === name);
}

/** "-" alone is a word: it stands for stdout. */
function isFlag(word: string): boolean {
  return word.startsWith("-") && word !== "-";
}

function takesValue(command: Command, word: string): boolean {
  return command.options.some(({ required, short, long }) => required && (word === short || word === long));
}
