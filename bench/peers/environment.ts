/** Where traffic goes: loopback, or a veth pair between two network namespaces that exist as long as the bench does. */
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import type { Where } from "./model.js";

export interface Environment {
  where: Where;
  /** Numeric address of the server. */
  host: string;
  namespaces: { client: string; server: string } | undefined;
}

export const LOOPBACK: Environment = { where: "loopback", host: "127.0.0.1", namespaces: undefined };

const PREFIX = "cnbbench";
const names = { client: `${PREFIX}-${process.pid}-c`, server: `${PREFIX}-${process.pid}-s` };
/** Of 198.18.0.0/15, set aside for benchmarks by RFC 2544. */
const ADDRESSES = { client: "198.18.0.1", server: "198.18.0.2" };

let made = false;

function ip(...args: string[]): string | undefined {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8", timeout: 10_000 });
  if (status === 0) return undefined;
  return `ip ${args.join(" ")}: ${error?.message ?? stderr.trim()}`;
}

/** The environment, or why this machine does not let us make it. */
export function makeVeth(): Environment | string {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  removeLeftovers();
  made = true;
  const { client, server } = names;
  const steps = [
    ["netns", "add", client],
    ["netns", "add", server],
    ["link", "add", "veth0", "netns", client, "type", "veth", "peer", "name", "veth0", "netns", server],
    ...([names.client, names.server] as const).flatMap((name) => [
      ["-n", name, "addr", "add", `${name === client ? ADDRESSES.client : ADDRESSES.server}/24`, "dev", "veth0"],
      ["-n", name, "link", "set", "lo", "up"],
      ["-n", name, "link", "set", "veth0", "up"],
    ]),
  ];
  for (const step of steps) {
    const problem = ip(...step);
    if (problem === undefined) continue;
    removeVeth();
    return problem;
  }
  return { where: "veth", host: ADDRESSES.server, namespaces: names };
}

/** Synchronous and idempotent, for process.on("exit"). */
export function removeVeth(): void {
  if (!made) return;
  made = false;
  for (const name of Object.values(names)) ip("netns", "delete", name);
}

/** Namespaces of benches that were killed with SIGKILL. */
function removeLeftovers(): void {
  for (const name of listNamespaces()) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-[cs]$`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) ip("netns", "delete", name);
  }
}

function listNamespaces(): string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8") !== "";
  } catch {
    return false;
  }
}

/** Two TCP ports of loopback that nobody uses at this moment; in fresh namespaces every port is free. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, LOOPBACK.host, () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number];
}
