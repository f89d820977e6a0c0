/** What a data path is. Each has a file of its own in `paths/`. */
import type { Namespace } from "./namespaces.js";
import type { Site } from "./site.js";
import type { Need } from "./tools.js";

export interface Path {
  readonly name: string;
  /** Which product's way of carrying packets it stands for. */
  readonly models: string;
  readonly builds: string;
  /** From the real product. */
  readonly differs: string;
  readonly needs: readonly Need[];
  /** Encryption: its CPU is stated at a rate of its own, and it is compared with its like. */
  readonly encrypts?: true;
  build(site: Site): Promise<Built>;
}

/** A path that stands. */
export interface Built {
  /** Where the client's traffic begins and where the server listens. */
  readonly client: Namespace;
  readonly server: Namespace;
  readonly serverAddress: string;
  /** What was chosen for this machine where there is a choice: "kernel", "user space (wireguard-go)". */
  readonly variant?: string;
  /**
   * Proves that traffic takes this path: looks at counters before and after `traffic`, which makes connections and resolves with how many.
   * Resolves with what was seen, in words; rejects with LabError where the path is not in force.
   */
  verify(traffic: () => Promise<number>): Promise<string[]>;
  /** Between two measurements: forgets what the last one left behind. */
  reset?(): Promise<void>;
}

/** Pods of both nodes; what most paths measure between. */
export function betweenPods({ client, server }: Site): Pick<Built, "client" | "server" | "serverAddress"> {
  return { client: client.pod, server: server.pod, serverAddress: server.podAddress };
}
