/** `cnb-load server` in one namespace, clients in the other. */
import { expect } from "vitest";
import type { Result } from "../../src/result/model.js";
import { type Namespace, Network } from "../support/netns.js";
import { Cli, type Finished } from "../support/program.js";
import { resultOf } from "../support/result-schema.js";

export interface LabServer {
  server: Cli;
  port: string;
}

export async function startServer(host: Namespace, ...args: string[]): Promise<LabServer> {
  const server = new Cli(["server", "--port", "0", ...args], { prefix: host.prefix });
  try {
    const [, port = ""] = await server.saying("stdout", /^cnb-load server listening on \S+:(\d+)\n/);
    return { server, port };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

export class Lab implements AsyncDisposable {
  readonly network: Network;
  readonly server: Cli;
  readonly port: string;

  private constructor(network: Network, { server, port }: LabServer) {
    this.network = network;
    this.server = server;
    this.port = port;
  }

  static async start(...args: string[]): Promise<Lab> {
    const network = new Network();
    try {
      return new Lab(network, await startServer(network.server, ...args));
    } catch (error) {
      network[Symbol.dispose]();
      throw error;
    }
  }

  /** A client that talks to the server over IPv4, or over IPv6 with -6 among the arguments. */
  client(command: string, ...args: string[]): Cli {
    const { ipv4, ipv6 } = this.network.server;
    const [host = ""] = args.includes("-6") ? ipv6 : ipv4;
    return new Cli([command, host, "--port", this.port, "--json", ...args], { prefix: this.network.client.prefix });
  }

  async finish(command: string, ...args: string[]): Promise<Finished> {
    await using client = this.client(command, ...args);
    return await client.finished;
  }

  /** A run that must succeed. */
  async measure(command: string, ...args: string[]): Promise<Result> {
    const finished = await this.finish(command, ...args);
    expect(finished.code, finished.stderr).toBe(0);
    return resultOf(finished);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.network[Symbol.dispose]();
  }
}
