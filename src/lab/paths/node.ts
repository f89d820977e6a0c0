import { type Built, type Path } from "../path.js";
import type { Site } from "../site.js";

export const node: Path = {
  name: "node",
  models: "the baseline, node to node: processes in the hosts' own namespaces, no pods",
  builds: "nothing but the wire, a veth pair between two network namespaces",
  differs: "the wire is memory: no card, no driver, no interrupt, no serialisation at 100 Gbit/s",
  needs: [],
  build: ({ client, server }: Site): Promise<Built> =>
    Promise.resolve({
      ...{ client: client.host, server: server.host, serverAddress: server.address },
      verify: async (traffic) => {
        await traffic();
        return [];
      },
    }),
};
