/**
 * Two network namespaces joined by veth: a client's and a server's host. Whatever happens they go again: with the scope that made
 * them, with the process, and what a killed process left is swept away by the next one.
 */
import { spawnSync } from "node:child_process";
import { isAlive } from "./processes.js";

/** "cnbl-<pid of the test process>-<number>-<side>" */
const NAME = /^cnbl-(\d+)-\d+-(?:client|server)$/;

/** Name of the veth in both namespaces. */
export const DEVICE = "cnb0";

/** Runs a command to its end; returns what it printed. Throws, with what it said, where it fails. */
function command(...[file = "", ...args]: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status === 0) return stdout;
  throw new Error(`${[file, ...args].join(" ")}: ${error?.message ?? stderr.trim()}`);
}

/** What the kernel counts at an interface. Headers are included, a segment that hardware would still cut up counts once. */
export interface LinkCounters {
  sentBytes: number;
  sentPackets: number;
  receivedBytes: number;
  receivedPackets: number;
}

/** One of the two. The first addresses are the ones to talk to; the others are there to bind to. */
export class Namespace {
  readonly name: string;
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];

  constructor(name: string, hosts: readonly number[]) {
    this.name = name;
    this.ipv4 = hosts.map((host) => `10.77.0.${host}`);
    this.ipv6 = hosts.map((host) => `fd77::${host}`);
  }

  /** Goes before a command that shall run in here; it takes over the process. */
  get prefix(): readonly string[] {
    return ["ip", "netns", "exec", this.name];
  }

  run(...args: string[]): string {
    return command(...this.prefix, ...args);
  }

  /** `ip` in here. */
  ip(...args: string[]): string {
    return command("ip", "-n", this.name, ...args);
  }

  setLink(state: "up" | "down"): void {
    this.ip("link", "set", DEVICE, state);
  }

  /** Pulls the cable for good. */
  deleteLink(): void {
    this.ip("link", "delete", DEVICE);
  }

  /** `name` as in "net.ipv4.ip_local_port_range". */
  sysctl(name: string, value: string): void {
    this.run("sh", "-c", 'echo "$1" > "$2"', "sh", value, `/proc/sys/${name.replaceAll(".", "/")}`);
  }

  link(): LinkCounters {
    const names = ["tx_bytes", "tx_packets", "rx_bytes", "rx_packets"];
    const text = this.run("cat", ...names.map((name) => `/sys/class/net/${DEVICE}/statistics/${name}`));
    const [sentBytes = 0, sentPackets = 0, receivedBytes = 0, receivedPackets = 0] = text.split("\n").map(Number);
    return { sentBytes, sentPackets, receivedBytes, receivedPackets };
  }

  /** A counter of /proc/net/snmp or netstat, such as PassiveOpens; IPv6 connections are in there, too. */
  tcpCounter(name: string): number {
    for (const [group, file] of [
      ["Tcp", "snmp"],
      ["TcpExt", "netstat"],
    ]) {
      const [names, values] = this.run("grep", `^${group}:`, `/proc/net/${file}`).split("\n");
      const index = names?.split(" ").indexOf(name) ?? -1;
      const value = Number(values?.split(" ")[index]);
      if (index >= 0 && Number.isInteger(value)) return value;
    }
    throw new Error(`/proc/net has no TCP counter ${name}`);
  }

  /** A counter of /proc/net/snmp, such as InDatagrams, with IPv6's of /proc/net/snmp6 added. */
  udpCounter(name: string): number {
    const [names, values] = this.run("grep", "^Udp:", "/proc/net/snmp").split("\n");
    const index = names?.split(" ").indexOf(name) ?? -1;
    const ipv6 = new RegExp(`^Udp6${name}\\s+(\\d+)$`, "m").exec(this.run("cat", "/proc/net/snmp6"))?.[1];
    const value = Number(values?.split(" ")[index]) + Number(ipv6);
    if (index < 0 || !Number.isInteger(value)) throw new Error(`/proc/net has no Udp counter ${name}`);
    return value;
  }

  /** TCP sockets in here, by `ss`, those in TIME_WAIT left out. */
  sockets(): string[] {
    return this.run("ss", "-H", "-t", "-a", "-n", "exclude", "time-wait").split("\n").filter(Boolean);
  }

  /** Processes in here. */
  pids(): number[] {
    return command("ip", "netns", "pids", this.name).split("\n").filter(Boolean).map(Number);
  }
}

function remove(name: string): void {
  const namespace = new Namespace(name, []);
  try {
    for (const pid of namespace.pids()) process.kill(pid, "SIGKILL");
  } catch {
    // They ended on their own, or the namespace went meanwhile.
  }
  spawnSync("ip", ["netns", "delete", name], { stdio: "ignore" });
}

/** Removes what test processes left that are no more. */
function sweep(): void {
  for (const line of command("ip", "netns", "list").split("\n")) {
    const [name = ""] = line.split(" ");
    const pid = NAME.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(name);
  }
}

const networks = new Set<Network>();
let made = 0;

function removeAll(): void {
  for (const network of networks) network[Symbol.dispose]();
}

export class Network implements Disposable {
  readonly server: Namespace;
  readonly client: Namespace;

  /** Takes root and iproute2. Duplicate address detection is off: IPv6 addresses can be used at once. */
  constructor() {
    if (made++ === 0) {
      sweep();
      process.once("exit", removeAll);
    }
    const name = `cnbl-${process.pid}-${made}`;
    this.server = new Namespace(`${name}-server`, [1]);
    this.client = new Namespace(`${name}-client`, [2, 3, 4]);
    networks.add(this);
    try {
      this.#create();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    if (!networks.delete(this)) return;
    for (const { name } of [this.server, this.client]) remove(name);
  }

  #create(): void {
    const sides = [this.server, this.client];
    for (const { name } of sides) command("ip", "netns", "add", name);
    const ends = [DEVICE, "netns", this.server.name, "type", "veth", "peer", DEVICE, "netns", this.client.name];
    command("ip", "link", "add", ...ends);
    for (const side of sides) {
      for (const address of side.ipv4) side.ip("address", "add", `${address}/24`, "dev", DEVICE);
      for (const address of side.ipv6) side.ip("address", "add", `${address}/64`, "dev", DEVICE, "nodad");
      side.ip("link", "set", "lo", "up");
      side.setLink("up");
    }
  }
}
