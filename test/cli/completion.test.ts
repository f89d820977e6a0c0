/** What shells are given to complete, run in these shells; and the manual pages, which are made of the same. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SHELLS, verbsOf } from "../../src/cli/grammar.js";
import { manPages } from "../../src/cli/man.js";
import { buildProgram } from "../../src/cli/program.js";
import { command, describeIf } from "../support/requires.js";
import { Cli, cli } from "./support.js";

const program = buildProgram(() => undefined);
const scripts = new Map<string, string>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-completion-"));
  for (const shell of SHELLS) {
    const { stdout, stderr, code } = await cli("completion", shell);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    scripts.set(shell, stdout);
    await writeFile(join(folder, shell), stdout);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a shell prints for a script of it; nothing may come on stderr. */
function inShell(file: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(file, args, { encoding: "utf8", cwd: join(import.meta.dirname, "../..") });
  expect(stderr).toBe("");
  return stdout;
}

/** A line as it is typed, and what is offered for its last word. */
const OFFERS: [string[], string[]][] = [
  [["su"], ["suite"]],
  [["rr", "--eng"], ["--engine"]],
  [["rr", "--engine", "s"], ["spin"]],
  [
    ["stream", "-4", "--no-delay", ""],
    ["off", "on"],
  ],
  [
    ["suite", "--preset", ""],
    ["cni", "quick"],
  ],
  [["report", "READ"], ["README.md"]],
  [["report", "--format", "m"], ["markdown"]],
  [
    ["completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["server", "--duration"], []],
];

describe("completion", () => {
  it.each(SHELLS)("of %s knows every command and option", (shell) => {
    for (const { name, flags } of verbsOf(program)) {
      expect(scripts.get(shell)).toContain(name);
      for (const { long = "" } of flags) expect(scripts.get(shell)).toContain(long.slice(2));
    }
  });

  it.each(OFFERS)("in bash: %j offers %j", (words, offered) => {
    const script = `source "$0"; COMP_WORDS=(cnb-load "$@"); COMP_CWORD=$#; _cnb_load; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const lines = inShell("bash", "--norc", "-c", script, join(folder, "bash"), ...words);
    expect(lines.split("\n").filter(Boolean).toSorted()).toEqual(offered);
  });

  describeIf(command("fish"))("in fish", () => {
    it.each(OFFERS)("%j offers %j", (words, offered) => {
      const script = `source ${join(folder, "fish")}; complete -C "cnb-load ${words.join(" ")}"`;
      const lines = inShell("fish", "--no-config", "-c", script).split("\n").filter(Boolean);
      expect(lines.map((line) => line.split("\t")[0]).toSorted()).toEqual(offered);
    });
  });

  describeIf(command("zsh"))("in zsh", () => {
    it("is understood and registered", () => {
      const script = `autoload -U compinit; compinit -D -u; source "$0"; print $_comps[cnb-load]; whence -w _cnb_load`;
      expect(inShell("zsh", "-f", "-c", script, join(folder, "zsh"))).toBe("_cnb_load\n_cnb_load: function\n");
    });
  });

  it("of another shell is refused", async () => {
    const { stderr, code } = await cli("completion", "tcsh");
    expect({ stderr, code }).toEqual({
      code: 2,
      stderr: 'cnb-load: SHELL: expected one of bash, zsh, fish, got "tcsh"\n',
    });
  });
});

describe("the manual", () => {
  const pages = manPages(program, "1.2.3");

  it("has a page for each command, with its options and notes", () => {
    for (const { name, flags } of verbsOf(program).filter(({ name: verb }) => !/^net(perf|server)$/.test(verb))) {
      const page = pages.find(({ file }) => file === (name === "" ? "cnb-load.1" : `cnb-load-${name}.1`));
      for (const { text } of flags) expect(page?.text).toContain(`.B ${text.replaceAll("-", "\\-")}\n`);
    }
    expect(pages.find(({ file }) => file === "cnb-load-rr.1")?.text).toContain("Exit codes: 0 done");
  });

  describeIf(command("groff"))("as groff reads it", () => {
    it("raises no warning", async () => {
      for (const { file, text } of pages) {
        await writeFile(join(folder, file), text);
        expect(inShell("groff", "-man", "-Tutf8", "-ww", "-z", join(folder, file))).toBe("");
      }
    });
  });
});

describe("colour", () => {
  it("is never used, whatever the environment asks for", async () => {
    await using help = new Cli(["rr", "--help"], { prefix: ["env", "FORCE_COLOR=3"] });
    await using wrong = new Cli(["sever"], { prefix: ["env", "FORCE_COLOR=3"] });
    const [first, second] = [await help.finished, await wrong.finished];
    expect(first.stdout + second.stderr).toContain("did you mean server?");
    expect(first.stdout + second.stderr).not.toContain("\u001b");
  });
});
