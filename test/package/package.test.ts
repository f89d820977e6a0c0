/** The package as its users get it: packed, installed into an empty folder without a compiler, imported, required, run; and compiled. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Program } from "../support/program.js";
import { buildable, Consumer, exec, prebuild, ROOT } from "./support.js";

let consumer: Consumer;

async function version(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}

async function sourceList(name: string): Promise<string[]> {
  const text = await readFile(join(ROOT, "native", name), "utf8");
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

beforeAll(async () => {
  await prebuild();
  consumer = await Consumer.create();
}, 600_000);

afterAll(async () => {
  await consumer[Symbol.asyncDispose]();
});

describe("the tarball", () => {
  it("holds what running and building take", async () => {
    const sources = [...(await sourceList("sources-core.txt")), ...(await sourceList("sources-binding.txt"))];
    expect(sources.length).toBeGreaterThan(5);
    const needed = [
      ...["package.json", "README.md", "LICENSE", "CHANGELOG.md", "binding.gyp", "bindings.gyp"],
      ...["native/sources-core.txt", "native/sources-binding.txt", ...sources],
      ...buildable().map((arch) => `prebuilds/linux-${arch}/cnb_load.node`),
      ...["scripts/install.mjs", "native/portable/libc.cc", "native/portable/exports.map"],
      ...[
        "dist/index.js",
        "dist/index.d.ts",
        "dist/cli/main.js",
        "schema/result.json",
        "SECURITY.md",
        "man/cnb-load.1",
        "man/cnb-load-rr.1",
      ],
      ...["dist/lab/agent.js", "src/lab/bpf/track.h", "src/lab/bpf/host-routing.bpf.c"],
    ];
    expect(needed.filter((path) => !consumer.packed.includes(path))).toEqual([]);
  });

  it("holds nothing else", () => {
    const expected = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|sbom\.cdx\.json|bindings?\.gyp)$/,
      /^prebuilds\/linux-(x64|arm64)\/cnb_load\.node$/,
      /^(scripts\/install\.mjs|native\/portable\/(libc\.cc|exports\.map))$/,
      /^native\/(core|engine|io|loops|binding)\/\w+\.(cc|h)$/,
      /^native\/sources-(core|binding)\.txt$/,
      /^dist\/[\w/-]+\.(js|d\.ts)$/,
      /^man\/cnb-load[\w-]*\.1$/,
      /^schema\/[\w-]+\.json$/,
      /^src\/lab\/bpf\/[\w-]+(\.bpf\.c|\.h)$/,
    ];
    expect(consumer.packed.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
  });
});

describe("the installed package", () => {
  it("is imported, and measures", async () => {
    const output = await consumer.program("import.js", [
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
    const output = await consumer.program("require.cjs", [
      `const { run, serve, compare, CnbLoadError } = require("cnb-load");`,
      `console.log([run, serve, compare, CnbLoadError].map((value) => typeof value).join());`,
    ]);
    expect(output.trim()).toBe("function,function,function,function");
  });

  it("gives its JSON Schema away", async () => {
    const output = await consumer.program("schema.cjs", [
      `const schema = require("cnb-load/schema/result.json");`,
      `console.log(schema.type);`,
    ]);
    expect(output.trim()).toBe("object");
  });

  it("has a command that knows its version", async () => {
    const output = await consumer.run("npx", "--no", "--", "cnb-load", "--version");
    expect(output.trim()).toBe(await version());
  });

  it("measures from the command line", async () => {
    const cli = ["env", `PATH=${consumer.env["PATH"] ?? ""}`, join(consumer.folder, "node_modules/.bin/cnb-load")];
    await using server = new Program([...cli, "server", "--host", "127.0.0.1", "--port", "0", "--once"]);
    const [, port = ""] = await server.saying("stdout", /listening on 127\.0\.0\.1:(\d+)/);
    await using client = new Program([...cli, "rr", "127.0.0.1", "-p", port, "-l", "200ms", "--warmup", "0", "--json"]);
    const { stdout, stderr, code } = await client.finished;
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed", test: "tcp_rr" });
  });

  it("has types that a strict consumer compiles against, declarations included", async () => {
    await mkdir(join(consumer.folder, "typed"), { recursive: true });
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
    await writeFile(join(consumer.folder, "typed/program.ts"), `${program.join("\n")}\n`);
    const options = {
      ...{ module: "NodeNext", target: "ES2022", lib: ["ES2023", "ESNext.Disposable"], strict: true, noEmit: true },
      ...{ exactOptionalPropertyTypes: true, types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] },
    };
    await writeFile(
      join(consumer.folder, "typed/tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["program.ts"] }),
    );
    const compiled = consumer.run("node", join(ROOT, "node_modules/typescript/bin/tsc"), "-p", "typed");
    await expect(compiled.catch((error: unknown) => (error as { stdout: string }).stdout)).resolves.toBe("");
  });
});

// Last: they take away what the others run.
describe("where the prebuilt addon does not load", () => {
  const installed = (path: string) => join(consumer.folder, "node_modules/cnb-load", path);

  beforeAll(() => rm(installed("prebuilds"), { recursive: true }));

  it("says what was tried", async () => {
    const failed = await consumer.run("npm", "rebuild", "cnb-load").then(
      () => "installed",
      (error: unknown) => (error as { stderr: string }).stderr,
    );
    expect(failed).toMatch(/prebuilt: .*prebuilds\/linux-\w+\/cnb_load\.node cannot be loaded: Cannot find module/);
    expect(failed).toMatch(/compiled from source .*: node-gyp failed/);
    const used = await consumer
      .program("try.js", [
        `import { serve } from "cnb-load";`,
        `await serve({ host: "127.0.0.1", port: 0 }).catch(({ code, message }) => console.log(code, message));`,
      ])
      .catch((error: unknown) => (error as { stderr: string }).stderr);
    expect(used).toMatch(
      /ERR_PLATFORM .*build\/Release\/cnb_load\.node: .*prebuilds\/linux-\w+\/cnb_load\.node: .*node-gyp rebuild/,
    );
  });

  it("is compiled from what the package holds", async () => {
    // Whole builds are made of the same files by `npm ci` and `npm run prebuilds`; that these are all there, the tarball's own test says.
    const gyp = join(ROOT, "node_modules/node-gyp/bin/node-gyp.js");
    await exec(process.execPath, [gyp, "configure", "--loglevel=error"], { cwd: installed(".") });
    const object = "Release/obj.target/cnb_load/native/binding/addon.o";
    await exec("make", ["BUILDTYPE=Release", "-C", installed("build"), object], { maxBuffer: 1 << 24 });
  });
});
