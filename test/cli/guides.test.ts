/** Readers try what documents say: their links lead somewhere, and the options that they name exist. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { verbsOf } from "../../src/cli/grammar.js";
import { buildProgram } from "../../src/cli/program.js";

const root = join(import.meta.dirname, "../..");
const markdownIn = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(root, folder), { recursive, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(".md"));
const documents = [...markdownIn(".", false), ...markdownIn("docs", true)].toSorted();
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const withoutCode = (text: string): string => text.replace(/^```.*?^```/gms, "");

/** Headings as GitHub names them. */
const anchorsOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\-_ ]/gu, "")
      .replaceAll(" ", "-"),
  );

const verbs = verbsOf(buildProgram(() => undefined));
const flags = new Map(
  verbs.map(({ name, flags }) => [name, new Set(flags.flatMap(({ short, long }) => [short, long]).concat("-4", "-6"))]),
);

/** Of each line that runs cnb-load: the command and its flags. netperf's own command lines are left out. */
function commandsIn(text: string): { line: string; verb: string; given: string[] }[] {
  const blocks = [...text.matchAll(/^```(?:sh|console)?\n(.*?)^```/gms)].map(([, block = ""]) => block);
  return blocks
    .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    .flatMap((line) => {
      const commands = line.replace(/\s#.*$/, "").matchAll(/(?<![\w./'"-])cnb-load((?: +(?![#&|;])\S+)*)/g);
      return [...commands].map(([, words = ""]) => {
        const [first = "", ...rest] = words.trim().split(/ +/);
        const verb = flags.has(first) ? first : "";
        const given = [first, ...rest]
          .filter((word) => /^--?[a-zA-Z46]/.test(word))
          .map((word) => word.split("=")[0] ?? "");
        return { line, verb, given };
      });
    })
    .filter(({ verb }) => verb !== "netperf" && verb !== "netserver");
}

describe.each(documents)("%s", (document) => {
  it("links to what is there", () => {
    const links = [...withoutCode(read(document)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, path = "", anchor]) => {
      const target = path === "" ? document : join(dirname(document), path);
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it("gives commands no option that they do not have", () => {
    const unknown = commandsIn(read(document)).filter(({ verb, given }) =>
      given.some((flag) => flags.get(verb)?.has(flag) !== true),
    );
    expect(unknown.map(({ line }) => line)).toEqual([]);
  });
});

it.each(["docs/guides/from-netperf.md", "docs/guides/from-iperf3.md"])("what %s puts in their place exists", (path) => {
  const known = new Set([...flags.values()].flatMap((of) => [...of]));
  const rows = [...read(path).matchAll(/^\| `.+? \| (.+) \|$/gm)].map(([, equivalent = ""]) => equivalent);
  const named = rows.flatMap((row) => [...row.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((flag) => !known.has(flag))).toEqual([]);
});

it("finds the commands that it checks", () => {
  const found = documents.flatMap((document) => commandsIn(read(document)));
  expect(found.filter(({ given }) => given.length > 0).length).toBeGreaterThan(30);
});
