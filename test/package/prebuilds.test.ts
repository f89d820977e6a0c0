/** The prebuilt addons: what they need of the system, and that they run with other C libraries, architectures and versions of Node. */
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allOf, command, describeIf, itIf, requirement } from "../support/requires.js";
import { exported, imports, needed } from "./elf.js";
import { type Arch, COMPILERS, Consumer, exec, prebuild, ROOT } from "./support.js";

const ARCHES = Object.keys(COMPILERS) as Arch[];
const FOREIGN =
  process.arch === "arm64" ? ({ name: "x64", cpu: "x86_64" } as const) : ({ name: "arm64", cpu: "aarch64" } as const);
const OWN_CPU = process.arch === "arm64" ? "aarch64" : "x86_64";
const MUSL = `/lib/ld-musl-${OWN_CPU}.so.1`;
const hasMusl = requirement(
  "the package musl",
  await stat(MUSL).then(
    () => true,
    () => false,
  ),
);
/** Versions of Node beside the one that runs the tests; all of them are Node-API, so that the newest says most. */
const NODES = (process.env["CNB_LOAD_TEST_NODES"] ?? "26").split(" ");

const MEASURES = [
  `import { run, serve } from "cnb-load";`,
  `const server = await serve({ host: "127.0.0.1", port: 0 });`,
  `for (const test of ["tcp_stream", "tcp_rr", "tcp_crr"]) {`,
  `  const result = await run({ test, host: "127.0.0.1", port: server.port, duration: "200ms", warmup: "50ms" });`,
  `  console.log(process.arch, test, result.state, (result.transactions?.count ?? result.throughput.bytes) > 0);`,
  `}`,
  `await server.close();`,
];
const measured = (arch: string) =>
  ["tcp_stream", "tcp_rr", "tcp_crr"].map((test) => `${arch} ${test} completed true\n`).join("");
const REQUIRES = [`const { run, serve } = require("cnb-load");`, `console.log(typeof run, typeof serve);`];

const addon = (arch: Arch) => join(ROOT, `prebuilds/linux-${arch}/cnb_load.node`);

let consumer: Consumer;
let work: string;

beforeAll(async () => {
  await prebuild();
  consumer = await Consumer.create();
  work = await mkdtemp(join(tmpdir(), "cnb-load-prebuilds-"));
}, 600_000);

afterAll(async () => {
  await consumer[Symbol.asyncDispose]();
  await rm(work, { recursive: true, force: true });
});

/** The npm package `node-linux-ARCH` of that major version. */
async function nodeBinary(arch: string, major: string): Promise<string> {
  const folder = join(work, `node-${arch}-${major}`);
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--force"];
  await exec("npm", ["install", ...quiet, "--prefix", folder, `node-linux-${arch}@${major}`]);
  return join(folder, `node_modules/node-linux-${arch}/bin/node`);
}

describe.each(ARCHES)("the prebuilt addon for %s", (arch) => {
  const itBuilt = itIf(command(COMPILERS[arch]));

  itBuilt("needs no C library newer than glibc 2.28, and no C++ library", async () => {
    expect((await needed(addon(arch))).toSorted()).toEqual(["libc.so.6", "libm.so.6"]);
    const versions = (await imports(addon(arch))).flatMap(({ version }) => (version === undefined ? [] : [version]));
    expect(versions.length).toBeGreaterThan(50);
    expect(versions.filter((version) => !/^GLIBC_2\.(\d|1\d|2[0-8])(\.\d+)?$/.test(version))).toEqual([]);
  });

  itBuilt("takes all the rest from Node", async () => {
    const others = (await imports(addon(arch))).filter(({ version, weak }) => version === undefined && !weak);
    const known = /^(napi_\w+|node_api_\w+|uv_err_name_r|__tls_get_addr)$/;
    expect(others.filter(({ name }) => !known.test(name))).toEqual([]);
    expect((await exported(addon(arch))).toSorted()).toEqual([
      "napi_register_module_v1",
      "node_api_module_get_api_version_v1",
    ]);
  });

  itIf(allOf(command(COMPILERS[arch]), hasMusl))("takes nothing from the C library that musl lacks", async () => {
    const inMusl = new Set(await exported(MUSL));
    const ofNode = /^(napi_|node_api_|uv_)/;
    const missing = (await imports(addon(arch))).filter(
      ({ name, weak }) => !weak && !ofNode.test(name) && !inMusl.has(name),
    );
    expect(missing).toEqual([]);
  });

  itBuilt("is small", () => {
    expect(gzipSync(readFileSync(addon(arch))).length).toBeLessThan(3_000_000);
  });
});

describeIf(allOf(command(COMPILERS[process.arch as Arch]), hasMusl))("on musl", () => {
  const tree = join(ROOT, `build-prebuild/linux-${process.arch}`);
  const compiler = COMPILERS[process.arch as Arch];
  const started = [`-Wl,--dynamic-linker=${MUSL}`, "-static-libgcc", `-L${tree}/stubs`];

  it("the addon's own objects carry traffic of every loop and engine", async () => {
    const objects = join(tree, "build/Release/obj.target/cnb_load/native");
    const rooms = ["core", "engine", "io", "loops", "portable"];
    const lists = await Promise.all(
      rooms.map(async (room) => (await readdir(join(objects, room))).map((file) => join(objects, room, file))),
    );
    const program = join(work, "sessions");
    const source = join(import.meta.dirname, "programs/sessions.cc");
    const options = [
      "-std=c++20",
      "-O1",
      "-fPIE",
      "-pie",
      `-I${ROOT}/native`,
      "-static-libstdc++",
      "-Wl,--gc-sections",
    ];
    const linked = [source, ...lists.flat().filter((path) => path.endsWith(".o"))];
    await exec(compiler, [...options, ...started, ...linked, "-o", program]);
    const { stdout } = await exec(program);
    expect(
      stdout
        .trim()
        .split("\n")
        .filter((line) => !line.endsWith(": ok")),
    ).toEqual([]);
    expect(stdout).toContain("epoll crr: ok");
  }, 120_000);

  it("the addon loads", async () => {
    const names = (await imports(addon(process.arch as Arch))).map(({ name }) => name);
    const ofNode = names.filter((name) => /^(napi_|node_api_|uv_)/.test(name));
    const lines = [
      `#include <stdio.h>`,
      `extern void* dlopen(const char*, int);`,
      `extern char* dlerror(void);`,
      ...ofNode.map((name) => `int ${name}(void) { return 1; }`),
      `int main(int argc, char** argv) { puts(argc == 2 && dlopen(argv[1], 2) ? "loaded" : dlerror()); return 0; }`,
    ];
    const source = join(work, "host.c");
    const program = join(work, "host");
    await writeFile(source, `${lines.join("\n")}\n`);
    const options = ["-x", "c", "-fPIE", "-pie", "-rdynamic", "-Wl,--unresolved-symbols=ignore-all"];
    await exec(compiler, [...options, ...started, source, "-o", program]);
    const { stdout } = await exec(program, [addon(process.arch as Arch)]);
    expect(stdout).toBe("loaded\n");
  });
});

describe.each(NODES)("with Node %s", (major) => {
  it("is imported and required, and measures", async () => {
    const node = await nodeBinary(process.arch, major);
    expect(await consumer.program("newer.mjs", MEASURES, [node])).toBe(measured(process.arch));
    expect(await consumer.program("newer.cjs", REQUIRES, [node])).toBe("function function\n");
  }, 180_000);
});

const emulator = `qemu-${FOREIGN.cpu}`;
describeIf(allOf(command(COMPILERS[FOREIGN.name]), command(emulator)))(`on ${FOREIGN.name}`, () => {
  it("is imported and required, and measures", async () => {
    // The oldest Node, so that the ends of the range are both met.
    const node = await nodeBinary(FOREIGN.name, "20");
    const { stdout } = await exec("which", [emulator]);
    const emulated: [string, ...string[]] = [stdout.trim(), "-L", `/usr/${FOREIGN.cpu}-linux-gnu`, node];
    expect(await consumer.program("foreign.mjs", MEASURES, emulated)).toBe(measured(FOREIGN.name));
    expect(await consumer.program("foreign.cjs", REQUIRES, emulated)).toBe("function function\n");
  }, 180_000);
});
