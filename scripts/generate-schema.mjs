// Writes schema/*.json from the TypeBox schemas in src/result/schema. Reads the sources, not dist, so that it never works from a stale build.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "src/result/schema");
const cache = join(root, "node_modules/.cache");

await mkdir(cache, { recursive: true });
// Below node_modules, where the import of typebox resolves.
const compiled = await mkdtemp(join(cache, "schema-"));
try {
  await writeFile(join(compiled, "package.json"), '{ "type": "module" }');
  for (const file of await readdir(sources)) {
    const { outputText } = ts.transpileModule(await readFile(join(sources, file), "utf8"), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
    });
    await writeFile(join(compiled, `${basename(file, ".ts")}.js`), outputText);
  }
  const { publishedSchemas } = await import(pathToFileURL(join(compiled, "published.js")).href);
  await mkdir(join(root, "schema"), { recursive: true });
  for (const [name, schema] of Object.entries(publishedSchemas)) {
    await writeFile(join(root, "schema", name), `${JSON.stringify(schema, null, 2)}\n`);
  }
} finally {
  await rm(compiled, { recursive: true, force: true });
}
