import type { Flag, Verb, Word } from "../grammar.js";

/** For `source <(cnb-load completion bash)`. Needs bash 4 and nothing of bash-completion. */
export function bashCompletion(verbs: readonly Verb[]): string {
  const names = verbs.map(({ name }) => name).filter((name) => name !== "");
  return `# bash completion for cnb-load
_cnb_load() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} verb= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${names.join("|")}) verb=$word; break ;;
    esac
  done
  case $verb:$prev in
${verbs.flatMap(values).join("\n")}
  esac
  case $verb in
${verbs.map((verb) => words(verb, names)).join("\n")}
  esac
}
complete -F _cnb_load cnb-load
`;
}

/** After an option that takes a value, that alone is offered; where it may be left out, files. */
function values(verb: Verb): string[] {
  return verb.flags.flatMap((flag) => {
    if (flag.value === undefined || (flag.value.optional && flag.value.word.is === "anything")) return [];
    const patterns = namesOf(flag).map((name) => `${verb.name}:${name}`);
    return [`    ${patterns.join("|")}) ${offer(flag.value.word)}; return ;;`];
  });
}

function words(verb: Verb, commands: readonly string[]): string {
  const flags = verb.flags.flatMap(namesOf).join(" ");
  const word: Word | undefined = verb.name === "" ? { is: "one of", words: commands } : verb.operands[0]?.word;
  const other = word === undefined ? ":" : offer(word);
  const lines = [
    `    "${verb.name}")`,
    `      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${flags}" -- "$cur"))`,
  ];
  return [...lines, `      else ${other}; fi ;;`].join("\n");
}

function namesOf({ short, long }: Flag): string[] {
  return [short, long].filter((name) => name !== undefined);
}

function offer(word: Word): string {
  switch (word.is) {
    case "one of":
      return `COMPREPLY=($(compgen -W "${word.words.join(" ")}" -- "$cur"))`;
    case "a file":
      return `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur")`;
    case "a folder":
      return `compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "$cur")`;
    case "a host":
      return `COMPREPLY=($(compgen -A hostname -- "$cur"))`;
    case "anything":
      return ":";
  }
}
