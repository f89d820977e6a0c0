/** Which CPU does which node's work. */

/** The whole of a node's work, traffic loops and network stack, is on its CPU; undefined = wherever the kernel likes. */
export interface Cpus {
  client: number | undefined;
  server: number | undefined;
}

/** From the CPUs that the lab may use. With a single one the nodes' work cannot be told apart. */
export function placeNodes(cpus: readonly number[]): Cpus {
  const [client, server] = cpus;
  return client === undefined || server === undefined || client === server
    ? { client: undefined, server: undefined }
    : { client, server };
}

export const isAttributed = ({ client, server }: Cpus): boolean => client !== undefined && server !== undefined;
