import type { Verb, Word } from "../grammar.js";

/** For `cnb-load completion fish | source`, or as a file in ~/.config/fish/completions. */
export function fishCompletion(verbs: readonly Verb[]): string {
  const lines = ["# fish completion for cnb-load", "complete -c cnb-load -f"];
  for (const { name, help, flags, operands } of verbs) {
    const condition = name === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${name}`;
    const complete = (...rest: string[]) => lines.push(["complete -c cnb-load", ...rest].join(" "));
    if (name !== "") complete("-n __fish_use_subcommand", `-a ${name}`, `-d ${quote(help)}`);
    for (const flag of flags) {
      const names = [flag.short?.replace("-", "-s "), flag.long?.replace("--", "-l ")].filter(
        (part) => part !== undefined,
      );
      const taken =
        flag.value === undefined ? [] : [flag.value.word.is === "a file" ? "-r" : "-x", offer(flag.value.word)];
      complete(`-n "${condition}"`, ...names, ...taken.filter((part) => part !== ""), `-d ${quote(flag.help)}`);
    }
    const [operand] = operands;
    if (operand !== undefined && offer(operand.word) !== "") complete(`-n "${condition}"`, offer(operand.word));
  }
  return `${lines.join("\n")}\n`;
}

function offer(word: Word): string {
  switch (word.is) {
    case "one of":
      return `-a ${quote(word.words.join(" "))}`;
    case "a file":
      return "-F";
    case "a folder":
      return `-a "(__fish_complete_directories)"`;
    case "a host":
      return `-a "(__fish_print_hostnames)"`;
    case "anything":
      return "";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
