/** Gives up root's privileges once a server has what it needed them for. */
import { readFileSync } from "node:fs";
import { UsageError } from "./exit-codes.js";

const FLAG = "--user";
const STATUS = "/proc/self/status";

interface User {
  name: string;
  uid: number;
  gid: number;
}

/** The user that a server shall become. Throws UsageError for one that it cannot become, or that is no less than what it is. */
export function userNamed(name: string): User {
  const [, , uid, gid] = passwords().find(([known]) => known === name) ?? [];
  if (uid === undefined || gid === undefined)
    throw new UsageError(`${FLAG}: no user ${JSON.stringify(name)} in /etc/passwd`);
  const user = { name, uid: Number(uid), gid: Number(gid) };
  if (user.uid === 0 || user.gid === 0)
    throw new UsageError(`${FLAG}: ${name} has privileges; name a user that has none`);
  if (process.geteuid?.() !== 0) {
    throw new UsageError(`${FLAG}: only root can become another user; start the server as ${name} instead`);
  }
  return user;
}

/** Becomes the user, with no group but its own, in every thread, for good; throws where the kernel leaves anything of what was before. */
export function becomeUser({ name, uid, gid }: User): void {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  const status = readFileSync(STATUS, "utf8");
  const field = (key: string): string => new RegExp(`^${key}:\\s*(.*)$`, "m").exec(status)?.[1]?.trim() ?? "";
  // Real, effective, saved and file-system ids.
  const ids = (id: number): string => Array(4).fill(id).join("\t");
  const left = [
    field("Uid") !== ids(uid) && "user",
    field("Gid") !== ids(gid) && "group",
    field("Groups") !== String(gid) && "groups",
    ...["CapInh", "CapPrm", "CapEff", "CapAmb"].map((set) => /[^0]/.test(field(set)) && set),
    canReturn() && "a way back",
  ].filter(Boolean);
  if (left.length > 0) throw new Error(`cannot become ${name}: ${left.join(", ")} of root would be left`);
}

function canReturn(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    return false;
  }
}

function passwords(): string[][] {
  // name:password:uid:gid:..., passwd(5).
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
}
