/** The package as its users get it: prebuilt, packed and installed into an empty folder where neither compiler nor make is on PATH. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { command } from "../support/requires.js";

export const ROOT = join(import.meta.dirname, "../..");
export const exec = promisify(execFile);

/** What the cross compilers of Debian and Ubuntu are called. */
export const COMPILERS = { x64: "x86_64-linux-gnu-g++", arm64: "aarch64-linux-gnu-g++" } as const;
export type Arch = keyof typeof COMPILERS;

/** The architectures that this machine has a compiler for. */
export function buildable(): Arch[] {
  return (Object.keys(COMPILERS) as Arch[]).filter((arch) => command(COMPILERS[arch]).met);
}

/** Incremental: the second caller finds everything done. */
export async function prebuild(): Promise<void> {
  await exec("npm", ["run", "--silent", "prebuilds", "--", ...buildable()], { cwd: ROOT, maxBuffer: 1 << 24 });
}

export class Consumer implements AsyncDisposable {
  readonly folder: string;
  readonly #path: string;
  /** What the tarball holds. */
  readonly packed: string[];

  private constructor(folder: string, packed: string[]) {
    this.folder = folder;
    this.#path = join(folder, "bin");
    this.packed = packed;
  }

  static async create(): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), "cnb-load-package-"));
    // dist/ is up to date already; `prepare` would compile it again.
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const { stdout } = await exec("npm", pack, { cwd: ROOT, maxBuffer: 1 << 24 });
    const [tarball] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    const consumer = new Consumer(
      folder,
      tarball.files.map((file) => file.path),
    );
    await mkdir(consumer.#path);
    for (const program of ["node", "npm", "npx", "sh", "env"]) {
      await symlink(await locate(program), join(consumer.#path, program));
    }
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", join(folder, tarball.filename)];
    await consumer.run("npm", ...install);
    return consumer;
  }

  /** Nothing of this test run, and nothing that compiles. */
  get env(): NodeJS.ProcessEnv {
    const clean = { NODE_OPTIONS: undefined, NODE_ENV: undefined, NODE_PATH: undefined, CNB_LOAD_ADDON: undefined };
    return { ...process.env, ...clean, PATH: this.#path };
  }

  /** Runs a program in the folder. Rejects unless it exits with 0. */
  async run(file: string, ...args: string[]): Promise<string> {
    const { stdout } = await exec(file, args, { cwd: this.folder, env: this.env, maxBuffer: 1 << 24 });
    return stdout;
  }

  async program(
    name: string,
    lines: readonly string[],
    node: readonly [string, ...string[]] = ["node"],
  ): Promise<string> {
    await writeFile(join(this.folder, name), `${lines.join("\n")}\n`);
    const [file, ...args] = [...node, name];
    return this.run(file, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function locate(program: string): Promise<string> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = await exec("test", ["-x", join(folder, program)]).then(
      () => true,
      () => false,
    );
    if (found && folder !== "") return join(folder, program);
  }
  throw new Error(`no ${program} on PATH`);
}
