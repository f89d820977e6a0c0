import { readFileSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

it("every warning that a result may hold is explained in docs/warnings.md, and no other", () => {
  const sources = ["src/result/", "src/run/"].flatMap((folder) =>
    readdirSync(new URL(folder, root))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => read(`${folder}${name}`)),
  );
  const given = sources.flatMap((text) =>
    [...text.matchAll(/\bcode: (.+),$/gm)].flatMap(([, value = ""]) =>
      [...value.matchAll(/"(?!ERR_)([A-Z_]+)"/g)].map(([, code]) => code),
    ),
  );
  const rows = read("docs/warnings.md").matchAll(/^\| (`[A-Z_`, ]+) \|/gm);
  const explained = [...rows].flatMap(([, codes = ""]) => [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  expect(explained.length).toBeGreaterThan(0);
  expect(explained.toSorted()).toEqual([...new Set(given)].toSorted());
});
