/** The image without a container engine: deploy/assemble.sh's files on a base of this machine's Node.js, run as a pod's container. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Namespace } from "../support/netns.js";
import { exec, pack, ROOT } from "./support.js";

/** In the place of gcr.io/distroless/nodejs24-debian12: a node, the libraries that it is linked with, and nothing else. */
function addBase(root: string): void {
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).matchAll(/(?:=> )?(\/\S+) \(/g);
  for (const [, path = ""] of libraries) copy(path, join(root, path));
  copy(process.execPath, join(root, "nodejs/bin/node"));
  for (const folder of ["dev", "proc", "sys", "tmp"]) mkdirSync(join(root, folder), { recursive: true });
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(realpathSync(from), to);
}

export async function assembleImage(folder: string): Promise<string> {
  const root = join(folder, "image");
  const { path } = await pack(folder);
  await exec(join(ROOT, "deploy/assemble.sh"), [path, root], { maxBuffer: 1 << 24 });
  addBase(root);
  return root;
}

const SET_UP = `
root=$1; shift
mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc" && mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp" && mount -t tmpfs -o mode=1777 tmpfs "$root/results" || exit
exec env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin setpriv --no-new-privs chroot --userspec=65532:65532 "$root" "$@"`;

/**
 * Runs a command in a mount namespace of its own as the pods of deploy/k8s have it: uid 65532, no capability (with the change of identity they
 * go), no new privileges, nothing writable but /results and /tmp. It takes over the process. crun would do as much, but refuses hosts
 * with hybrid control groups.
 */
export function inContainer(root: string, network: Namespace, args: readonly string[]): string[] {
  return [...network.prefix, "unshare", "--mount", "sh", "-c", SET_UP, "sh", root, ...args];
}
