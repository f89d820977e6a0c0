/**
 * Network namespaces that go again whatever happens: with the lab, with its process, and what a killed process left with the next lab or
 * `cnb-load lab clean`. A name says which process made it: "cnblab-<pid>-<start of that process>-<path>.<role>".
 */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError, reasonOf } from "./lab-error.js";
import { shell, type ShellOptions } from "./shell.js";

const NAME = /^cnblab-(\d+)-([0-9a-z]+)-/;
/** Where `ip netns` keeps them. */
const FOLDER = "/run/netns";

/** When a process began, in ticks since boot (proc_pid_stat(5)): tells it from a later one of the same number. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : Number(fields[19]).toString(36);
  } catch {
    return undefined;
  }
}

function existing(): string[] {
  try {
    return readdirSync(FOLDER).filter((name) => NAME.test(name));
  } catch {
    return [];
  }
}

/** Kills what runs in it and removes it. Synchronous: this is also done while the process exits. */
function remove(name: string): void {
  const pids = spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout;
  for (const pid of pids.split("\n").filter(Boolean).map(Number)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended on its own.
    }
  }
  spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
}

/** Whether a name is that of a lab whose process is no more. */
function isLeft(name: string): boolean {
  const [, pid, start] = NAME.exec(name) ?? [];
  return pid !== undefined && startOf(Number(pid)) !== start;
}

/** Removes what labs left that are no more, their temporary folders too; gives the names. */
export function removeLeftovers(): string[] {
  const namespaces = existing().filter(isLeft);
  for (const name of namespaces) remove(name);
  const folders = readdirSync(tmpdir()).filter(isLeft);
  for (const name of folders) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  return [...namespaces, ...folders];
}

export class Namespace {
  readonly name: string;
  /** What the programs of this namespace are pinned to, so that its work can be told from the other node's. */
  readonly cpu: number | undefined;

  constructor(name: string, cpu: number | undefined) {
    this.name = name;
    this.cpu = cpu;
  }

  /** Goes before a command that shall run in here. */
  get prefix(): readonly [string, ...string[]] {
    const pinned = this.cpu === undefined ? [] : ["taskset", "-c", String(this.cpu)];
    return ["ip", "netns", "exec", this.name, ...pinned];
  }

  run(words: readonly string[], options: ShellOptions = {}): Promise<string> {
    return shell([...this.prefix, ...words], options);
  }

  /** `ip` commands in here, one per line, none of them after one that failed. */
  async ip(...lines: readonly string[]): Promise<void> {
    await shell(["ip", "-n", this.name, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  }

  /** `ip -json` in here. */
  async ipJson(...words: readonly string[]): Promise<unknown> {
    const text = await shell(["ip", "-n", this.name, "-json", "-details", "-statistics", ...words]);
    return JSON.parse(text === "" ? "[]" : text);
  }

  /** `settings`: by names as in "net.ipv4.ip_forward", all of them of this namespace. Those that do not exist are left out. */
  async sysctl(settings: Readonly<Record<string, string | number>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => {
      const file = `/proc/sys/${name.replaceAll(".", "/")}`;
      return `if [ -e ${file} ]; then echo '${value}' > ${file}; fi`;
    });
    await this.run(["sh", "-e"], { input: `${lines.join("\n")}\n` });
  }

  async read(file: string): Promise<string> {
    return (await this.run(["cat", file])).trim();
  }

  async index(device: string): Promise<number> {
    const [link] = (await this.ipJson("link", "show", "dev", device)) as { ifindex: number }[];
    if (link === undefined) throw new LabError(`${this.name} has no interface ${device}`);
    return link.ifindex;
  }

  /** Packets that left through an interface. */
  async sentPackets(device: string): Promise<number> {
    const [link] = (await this.ipJson("link", "show", "dev", device)) as { stats64: { tx: { packets: number } } }[];
    return link?.stats64.tx.packets ?? 0;
  }
}

/** All namespaces of one lab. */
export class Namespaces implements Disposable {
  /** What all names of this lab begin with. */
  readonly prefix: string;
  readonly #names: string[] = [];
  readonly #atExit = (): void => this[Symbol.dispose]();

  constructor() {
    this.prefix = `cnblab-${process.pid}-${startOf(process.pid) ?? "0"}`;
    process.once("exit", this.#atExit);
  }

  async create(name: string, cpu: number | undefined): Promise<Namespace> {
    const namespace = new Namespace(`${this.prefix}-${name}`, cpu);
    if (existing().includes(namespace.name))
      throw new LabError(
        `the network namespace ${namespace.name} exists already; cnb-load lab clean removes leftovers`,
      );
    this.#names.push(namespace.name);
    try {
      await shell(["ip", "netns", "add", namespace.name]);
    } catch (error) {
      throw new LabError(`cannot create a network namespace: ${reasonOf(error)}`);
    }
    await namespace.ip("link set lo up");
    const settings = { "net.ipv6.conf.all.disable_ipv6": 1, "net.ipv4.conf.all.rp_filter": 0 };
    await namespace.sysctl({ ...settings, "net.ipv4.conf.default.rp_filter": 0 });
    return namespace;
  }

  /** Those of one path. */
  removeAll(path: string): void {
    const own = this.#names.filter((name) => name.startsWith(`${this.prefix}-${path}.`));
    for (const name of own) {
      remove(name);
      this.#names.splice(this.#names.indexOf(name), 1);
    }
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#atExit);
    for (const name of this.#names.splice(0)) remove(name);
  }
}
