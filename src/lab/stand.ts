/** A path that stands: built, its processes running, proven to be in force. */
import { join } from "node:path";
import { mkdir } from "node:fs/promises";
import type { Result, RunOptions } from "../index.js";
import { Agent } from "./agents.js";
import { attributed } from "./attribution.js";
import type { Cell, LabOptions } from "./document.js";
import { LabError } from "./lab-error.js";
import type { Namespaces } from "./namespaces.js";
import type { Built, Path } from "./path.js";
import { type Cpus, isAttributed } from "./placement.js";
import { createSite, type Site, WIRE } from "./site.js";

/** What stands between a measurement that hangs and a lab that does. */
const SLACK_MS = 30_000;

export interface Ground {
  namespaces: Namespaces;
  cpus: Cpus;
  options: LabOptions;
  congestion: string | undefined;
  /** A private folder. */
  folder: string;
}

export class Stand implements AsyncDisposable {
  readonly path: Path;
  readonly built: Built;
  readonly site: Site;
  readonly client: Agent;
  readonly server: Agent;
  readonly #port: number;
  readonly #cpus: Cpus;
  readonly #congestion: string | undefined;
  readonly #namespaces: Namespaces;

  private constructor(path: Path, built: Built, site: Site, agents: [Agent, Agent], port: number, ground: Ground) {
    this.path = path;
    this.built = built;
    this.site = site;
    [this.client, this.server] = agents;
    this.#port = port;
    this.#cpus = ground.cpus;
    this.#congestion = ground.congestion;
    this.#namespaces = ground.namespaces;
  }

  /** Rejects with LabError where it cannot be built; nothing of it is left then. */
  static async build(path: Path, ground: Ground): Promise<Stand> {
    const { namespaces, cpus, options } = ground;
    const agents: Agent[] = [];
    try {
      const folder = join(ground.folder, path.name);
      await mkdir(folder, { recursive: true });
      const site = await createSite(namespaces, path.name, cpus, options, folder);
      const built = await path.build(site);
      const client = new Agent(built.client);
      agents.push(client);
      const server = new Agent(built.server);
      agents.push(server);
      const port = await server.serve(built.serverAddress);
      return new Stand(path, built, site, [client, server], port, ground);
    } catch (error) {
      for (const agent of agents) await agent[Symbol.asyncDispose]();
      namespaces.removeAll(path.name);
      throw error;
    }
  }

  /** What was seen; rejects with LabError where the path is not in force. */
  async verify(): Promise<string[]> {
    const { client, server } = this.site;
    const count = (): Promise<number[]> => Promise.all([client, server].map(({ host }) => host.sentPackets(WIRE)));
    const before = await count();
    let connections = 0;
    const said = await this.built.verify(async () => {
      const { transactions } = await this.#run({ test: "tcp_crr", duration: "50ms", warmup: 0 });
      connections += transactions?.count ?? 0;
      if (connections === 0) throw new LabError("not one connection came about");
      return connections;
    });
    const sent = (await count()).map((packets, index) => packets - (before[index] ?? 0));
    if (sent.some((packets) => packets < connections))
      throw new LabError(`${connections} connections, but only ${sent.join(" and ")} packets over the wire`);
    return [...said, `${connections} connections: ${sent.join(" and ")} packets over the wire`];
  }

  /** One run; rejects with LabError where it fails. */
  async measure(
    cell: Cell,
    { durationNs, warmupNs }: LabOptions,
    signal: AbortSignal,
    onOpened?: () => void,
  ): Promise<Result> {
    const times = { duration: `${durationNs}ns`, warmup: `${warmupNs}ns` };
    const options: Omit<RunOptions, "host"> = { test: `tcp_${cell.test}`, flows: cell.flows, ...times };
    return await this.#run(options, signal, { expectedMs: (durationNs + warmupNs) / 1e6, onOpened });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.#namespaces.removeAll(this.path.name);
  }

  async #run(
    options: Omit<RunOptions, "host">,
    signal?: AbortSignal,
    { expectedMs = 0, onOpened }: { expectedMs?: number; onOpened?: (() => void) | undefined } = {},
  ): Promise<Result> {
    const { client, server } = this.#cpus;
    const pinned = isAttributed(this.#cpus) ? { cpus: String(client), serverCpus: String(server) } : {};
    const target = this.path.encrypts === true && options.test === "tcp_stream" ? { cpuAt: "10G" } : {};
    const where = { host: this.built.serverAddress, port: this.#port };
    const late = AbortSignal.timeout(SLACK_MS + 2 * expectedMs);
    const ends = signal === undefined ? late : AbortSignal.any([signal, late]);
    const result = await this.client.run(
      { ...options, ...where, ...pinned, ...target, congestion: this.#congestion },
      ends,
      onOpened,
    );
    if (result.state === "failed") throw new LabError(result.error?.message ?? "the run failed");
    if (late.aborted) throw new LabError("the run did not end in time");
    return attributed(result, this.#cpus);
  }
}
