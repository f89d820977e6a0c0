/** Calls a CNI plugin as a runtime does: https://www.cni.dev/docs/spec/, section 2, execution protocol. */
import { LabError } from "../lab-error.js";
import type { Namespace } from "../namespaces.js";
import { cniFolder } from "../tools.js";

interface CniResult {
  ips?: { address: string }[];
}

/** Adds a pod's eth0 from within its node; gives the pod's address. */
export async function cniAdd(
  host: Namespace,
  pod: Namespace,
  config: { type: string } & Record<string, unknown>,
): Promise<string> {
  const folder = cniFolder() ?? "";
  const printed = await host.run([`${folder}/${config.type}`], {
    input: JSON.stringify({ cniVersion: "1.0.0", name: "cnb-load-lab", ...config }),
    env: {
      CNI_COMMAND: "ADD",
      CNI_CONTAINERID: pod.name,
      CNI_NETNS: `/run/netns/${pod.name}`,
      CNI_IFNAME: "eth0",
      CNI_PATH: folder,
    },
  });
  const [first] = (JSON.parse(printed) as CniResult).ips ?? [];
  const address = first?.address.split("/")[0];
  if (address === undefined) throw new LabError(`the CNI plugin ${config.type} gave the pod no address: ${printed}`);
  return address;
}

/** The reference plugin that keeps addresses in files, those of this lab in a folder of its own. */
export function hostLocal(dataDir: string, range: Readonly<Record<string, string>>): object {
  return { type: "host-local", dataDir, ranges: [[range]] };
}

/** Pods whose gateway is their node. */
export function hostLocalRouted(dataDir: string, subnet: string): object {
  return { ...hostLocal(dataDir, { subnet }), routes: [{ dst: "0.0.0.0/0" }] };
}
