/** What the encrypted paths share: what is on the wire is captured, and none of it may be readable. */
import { join } from "node:path";
import { LabError } from "../lab-error.js";
import { startDaemon, stopDaemon } from "../daemons.js";
import { shell } from "../shell.js";
import { type Site, WIRE } from "../site.js";

/** Packets of the wire while `traffic` flows: encrypted ones by `filter` (pcap-filter(7)), and any that show the pods' addresses. */
export async function verifyEncrypted(
  { client, folder }: Site,
  filter: string,
  what: string,
  traffic: () => Promise<number>,
): Promise<string[]> {
  const file = join(folder, "wire.pcap");
  const words = [
    "tcpdump",
    "-i",
    WIRE,
    "-nn",
    "-U",
    "--immediate-mode",
    "-s",
    "128",
    "-c",
    "20000",
    "-Z",
    "root",
    "-w",
    file,
  ];
  const capture = await startDaemon("tcpdump", client.host, words, /listening on/);
  const connections = await traffic();
  await stopDaemon(capture, "SIGINT");
  const count = async (expression: string): Promise<number> =>
    (await shell(["tcpdump", "-nn", "-r", file, expression])).split("\n").filter(Boolean).length;
  const [encrypted, readable] = [await count(filter), await count("net 10.77.0.0/16 or tcp")];
  const said = `tcpdump on the wire saw ${encrypted} packets of ${what} and ${readable} that show TCP or a pod's address`;
  if (encrypted < connections || readable > 0)
    throw new LabError(`the path is not in force: of ${connections} connections ${said}`);
  return [`${connections} connections: ${said}`];
}
