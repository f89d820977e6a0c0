/** What paths need of the machine, and whether it is there. */
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM_FOLDERS, shell } from "./shell.js";

/** A program, or something that can be tried; `install` is what to do where it is missing. */
export interface Need {
  readonly name: string;
  readonly install: string;
  readonly there: () => boolean | Promise<boolean>;
}

export function findProgram(name: string): string | undefined {
  return PROGRAM_FOLDERS.map((folder) => join(folder, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function program(name: string, debianPackage: string): Need {
  return { name, install: debianPackage, there: () => findProgram(name) !== undefined };
}

export function file(path: string, debianPackage: string): Need {
  return { name: path, install: debianPackage, there: () => existsSync(path) };
}

/** Where CNI plugins lie: Debian's folder, then the one of everybody else. */
const CNI_FOLDERS = ["/usr/lib/cni", "/opt/cni/bin"];

export function cniFolder(): string | undefined {
  return CNI_FOLDERS.find((folder) => existsSync(join(folder, "host-local")));
}

export function cniPlugin(name: string): Need {
  const there = (): boolean => CNI_FOLDERS.some((folder) => existsSync(join(folder, name)));
  return { name: `CNI plugin ${name}`, install: "containernetworking-plugins", there };
}

export const IP = program("ip", "iproute2");
export const TASKSET = program("taskset", "util-linux");
export const TC = program("tc", "iproute2");
export const IPTABLES = program("iptables-restore", "iptables");
export const CONNTRACK = program("conntrack", "conntrack");
export const CLANG = program("clang", "clang");
export const BPFTOOL = program("bpftool", "bpftool");
export const LIBBPF = file("/usr/include/bpf/bpf_helpers.h", "libbpf-dev");
export const TCPDUMP = program("tcpdump", "tcpdump");

/** What is missing of a list, as "bpftool, libbpf-dev" to install; undefined where nothing is. */
export async function missing(needs: readonly Need[]): Promise<string | undefined> {
  const lacking: string[] = [];
  for (const need of needs) {
    if (!(await need.there()) && !lacking.includes(need.install)) lacking.push(need.install);
  }
  return lacking.length === 0 ? undefined : lacking.join(", ");
}

/** The first line that a program says of its version; undefined where it is not there. */
export async function versionOf(words: readonly string[]): Promise<string | undefined> {
  const said = await shell(words).catch(() => undefined);
  return said
    ?.split("\n")
    .find((line) => line.trim() !== "")
    ?.trim();
}
