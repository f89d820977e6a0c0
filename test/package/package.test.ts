/** The package as its users get it: packed, installed into an empty folder (which compiles the addon), imported, required, run. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const exec = promisify(execFile);

let folder: string;
let packed: string[];

/** Runs Node or npm in the consumer's folder with nothing of this test run in the environment. Rejects unless it exits with 0. */
async function inFolder(file: string, ...args: string[]): Promise<string> {
  const clean = { NODE_OPTIONS: undefined, NODE_ENV: undefined, NODE_PATH: undefined, CNB_LOAD_ADDON: undefined };
  const env = { ...process.env, ...clean };
  const { stdout } = await exec(file, args, { cwd: folder, env });
  return stdout;
}

async function consumer(name: string, lines: readonly string[]): Promise<string> {
  await writeFile(join(folder, name), `${lines.join("\n")}\n`);
  return inFolder("node", name);
}

async function version(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}

async function sourceList(name: string): Promise<string[]> {
  const text = await readFile(join(ROOT, "native", name), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cnb-load-package-"));
  // dist/ is up to date already; `prepare` would compile it again.
  const { stdout } = await exec("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: ROOT,
  });
  const [tarball] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
  packed = tarball.files.map((file) => file.path);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await inFolder("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, tarball.filename));
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("the tarball", () => {
  it("holds what running and building take", async () => {
    const sources = [...(await sourceList("sources-core.txt")), ...(await sourceList("sources-binding.txt"))];
    expect(sources.length).toBeGreaterThan(5);
    const needed = [
      ...["package.json", "README.md", "LICENSE", "CHANGELOG.md", "binding.gyp", "bindings.gyp"],
      ...["native/sources-core.txt", "native/sources-binding.txt", ...sources],
      ...["dist/index.js", "dist/index.d.ts", "dist/cli/main.js", "schema/result.json"],
      ...["dist/lab/agent.js", "src/lab/bpf/track.h", "src/lab/bpf/host-routing.bpf.c"],
    ];
    expect(needed.filter((path) => !packed.includes(path))).toEqual([]);
  });

  it("holds nothing else", () => {
    const expected = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bindings?\.gyp)$/,
      /^native\/(core|engine|io|loops|binding)\/\w+\.(cc|h)$/,
      /^native\/sources-(core|binding)\.txt$/,
      /^dist\/[\w/-]+\.(js|d\.ts)$/,
      /^schema\/[\w-]+\.json$/,
      /^src\/lab\/bpf\/[\w-]+(\.bpf\.c|\.h)$/,
    ];
    expect(packed.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

describe("the installed package", () => {
  it("is imported, and measures", async () => {
    const output = await consumer("import.js", [
      `import { compare, run, serve } from "cnb-load";`,
      `const server = await serve({ host: "127.0.0.1", port: 0 });`,
      `const result = await run({ test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: "200ms", warmup: "50ms" });`,
      `await server.close();`,
      `const { pairs, regressions } = await compare(result, [result]);`,
      `console.log(JSON.stringify([result.schema, result.state, result.transactions.count > 0, pairs.length, regressions]));`,
    ]);
    expect(JSON.parse(output)).toEqual(["cnb-load/result/1", "completed", true, 1, 0]);
  });

  it("is required by CommonJS", async () => {
    const output = await consumer("require.cjs", [
      `const { run, serve, compare, CnbLoadError } = require("cnb-load");`,
      `console.log([run, serve, compare, CnbLoadError].map((value) => typeof value).join());`,
    ]);
    expect(output.trim()).toBe("function,function,function,function");
  });

  it("gives its JSON Schema away", async () => {
    const output = await consumer("schema.cjs", [
      `const schema = require("cnb-load/schema/result.json");`,
      `console.log(schema.type);`,
    ]);
    expect(output.trim()).toBe("object");
  });

  it("has a command that knows its version", async () => {
    const output = await inFolder("npx", "--no", "--", "cnb-load", "--version");
    expect(output.trim()).toBe(await version());
  });

  it("has types that a strict consumer compiles against, declarations included", async () => {
    await mkdir(join(folder, "typed"), { recursive: true });
    const program = [
      `import { CnbLoadError, run, serve, type Interval, type Result } from "cnb-load";`,
      `export async function measure(): Promise<number | undefined> {`,
      `  await using server = await serve({ host: "127.0.0.1", port: 0 });`,
      `  const test = run({ test: "tcp_rr", host: "127.0.0.1", port: server.port, duration: "5s", flows: 32 }, { signal: AbortSignal.timeout(60_000) });`,
      `  const seen: Interval[] = [];`,
      `  for await (const interval of test) seen.push(interval);`,
      `  const result: Result = await test;`,
      `  return result.transactions?.perSecond;`,
      `}`,
      `export const isBusy = (error: unknown): boolean => error instanceof CnbLoadError && error.code === "ERR_BUSY";`,
      `// @ts-expect-error an unknown test is refused at compile time`,
      `export const wrong = () => run({ test: "tcp_nonsense", host: "127.0.0.1" });`,
    ];
    await writeFile(join(folder, "typed/program.ts"), `${program.join("\n")}\n`);
    const options = {
      ...{ module: "NodeNext", target: "ES2022", lib: ["ES2023", "ESNext.Disposable"], strict: true, noEmit: true },
      ...{ exactOptionalPropertyTypes: true, types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] },
    };
    await writeFile(
      join(folder, "typed/tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["program.ts"] }),
    );
    const compiled = inFolder("node", join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "typed");
    await expect(compiled.catch((error: unknown) => (error as { stdout: string }).stdout)).resolves.toBe("");
  });
});
