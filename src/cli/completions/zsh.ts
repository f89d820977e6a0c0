import type { Flag, Verb, Word } from "../grammar.js";

/** For `source <(cnb-load completion zsh)`, or as a file `_cnb-load` in a folder of fpath. */
export function zshCompletion(verbs: readonly Verb[]): string {
  const [program, ...commands] = verbs;
  return `#compdef cnb-load
_cnb_load() {
  local curcontext=$curcontext state line
  local -a commands=(
${commands.map(({ name, help }) => `    ${quote(`${name}:${help}`)}`).join("\n")}
  )
  _arguments -C \\
${(program?.flags ?? []).map((flag) => `    ${argument(flag)} \\\n`).join("")}    '1:command:->command' '*::argument:->arguments'
  case $state in
    command) _describe command commands ;;
    arguments)
      case $words[1] in
${commands.map(branch).join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _cnb_load || $funcstack[1] == _cnb-load ]]; then _cnb_load "$@"; else compdef _cnb_load cnb-load; fi
`;
}

function branch({ name, flags, operands }: Verb): string {
  const positional = operands.map((operand, index) => {
    return quote(`${operand.many ? "*" : index + 1}:${operand.name}:${action(operand.word)}`);
  });
  const all = [...flags.map(argument), ...positional];
  return `        ${name})\n          ${all.length === 0 ? ":" : ["_arguments", ...all].join(" \\\n            ")} ;;`;
}

/** '(-l --duration)'{-l,--duration}'[length of the window]:time:' */
function argument({ short, long, help, value }: Flag): string {
  const text = `[${help.replaceAll(/[[\]\\]/g, "\\$&").replaceAll(":", "\\:")}]`;
  const taken = value === undefined ? "" : `${value.optional ? "::" : ":"}${value.name}:${action(value.word)}`;
  const names = [short, long].filter((name) => name !== undefined);
  if (names.length === 1) return quote(`${names[0]}${text}${taken}`);
  return `${quote(`(${names.join(" ")})`)}{${names.join(",")}}${quote(text + taken)}`;
}

function action(word: Word): string {
  switch (word.is) {
    case "one of":
      return `(${word.words.join(" ")})`;
    case "a file":
      return "_files";
    case "a folder":
      return "_files -/";
    case "a host":
      return "_hosts";
    case "anything":
      return " ";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
