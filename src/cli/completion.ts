/** `cnb-load completion SHELL` */
import type { Command } from "commander";
import { invalidOption } from "../options/spec.js";
import { EXIT } from "./exit-codes.js";
import { SHELLS, type Verb, verbsOf } from "./grammar.js";
import { print } from "./output.js";

const RENDER: Record<(typeof SHELLS)[number], (verbs: readonly Verb[]) => Promise<string>> = {
  bash: async (verbs) => (await import("./completions/bash.js")).bashCompletion(verbs),
  zsh: async (verbs) => (await import("./completions/zsh.js")).zshCompletion(verbs),
  fish: async (verbs) => (await import("./completions/fish.js")).fishCompletion(verbs),
};

export async function completionCommand(shell: string, program: Command): Promise<number> {
  const known = SHELLS.find((name) => name === shell);
  if (known === undefined) throw invalidOption("SHELL", `one of ${SHELLS.join(", ")}`, shell);
  await print(await RENDER[known](verbsOf(program)));
  return EXIT.done;
}
