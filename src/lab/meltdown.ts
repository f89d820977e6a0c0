/**
 * The article's melt-down: TCP_CRR against a connection tracking table that fills up. nf_conntrack_max and the number of buckets belong
 * to the whole machine and are left alone; the table of the server's node is filled with entries of connections that never were instead.
 */
import type { LabOptions, Meltdown, MeltdownPoint } from "./document.js";
import { LabError } from "./lab-error.js";
import type { Namespace } from "./namespaces.js";
import type { Stand } from "./stand.js";
import { forgetFlows } from "./paths/netfilter.js";

const PATHS = ["iptables", "iptables-notrack"];
/** Shares of nf_conntrack_max that are there before the run begins. */
const FILLS = [0, 0.25, 0.5, 0.75, 0.9, 1];
/** Where time is short. */
const FEW_FILLS = [0, 0.5, 0.9, 1];
/** More than this is not filled: it would take minutes and gigabytes. */
const MOST_ENTRIES = 2_000_000;

const RESERVED = 64;
/** A cliff does not take many runs to show. */
const MOST_RUNS = 3;

/** Undefined where neither path stands or TCP_CRR is not asked for. */
export async function measureMeltdown(
  stands: readonly Stand[],
  options: LabOptions,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<Meltdown | undefined> {
  const own = stands.filter(({ path }) => PATHS.includes(path.name));
  const [first] = own;
  if (first === undefined || !options.tests.includes("crr")) return undefined;
  const read = async (name: string): Promise<number> =>
    Number(await first.site.server.host.read(`/proc/sys/net/netfilter/nf_conntrack_${name}`));
  const meltdown: Meltdown = {
    max: await read("max"),
    buckets: await read("buckets"),
    flows: options.flows,
    points: [],
  };
  if (meltdown.max > MOST_ENTRIES)
    throw new LabError(`nf_conntrack_max is ${meltdown.max}; tables beyond ${MOST_ENTRIES} are not filled`);
  try {
    for (const { site } of own) await forgetFlows(site.server.host);
    let before = 0;
    for (const fill of options.budgetNs === undefined ? FILLS : FEW_FILLS) {
      note(`conntrack melt-down: table ${Math.round(fill * 100)} % full`);
      // The control connection needs entries, too, and shall not be among those that find no room.
      const entries = Math.max(0, Math.floor(fill * meltdown.max) - RESERVED);
      for (const stand of own) {
        if (signal.aborted) break;
        await fillTable(stand.site.server.host, before, entries);
        meltdown.points.push(await measurePoint(stand, fill, entries, options, signal));
      }
      before = entries;
    }
  } finally {
    for (const { site } of own) await forgetFlows(site.server.host);
  }
  return meltdown;
}

async function measurePoint(
  stand: Stand,
  fill: number,
  entries: number,
  options: LabOptions,
  signal: AbortSignal,
): Promise<MeltdownPoint> {
  const { server } = stand.site;
  const point: MeltdownPoint = {
    path: stand.path.name,
    fill,
    entries,
    results: [],
    dropped: 0,
    earlyDropped: 0,
    failed: 0,
  };
  for (let run = 0; run < Math.min(MOST_RUNS, options.runs) && !signal.aborted; run++) {
    const before = await dropsOf(server.host);
    const result = await stand.measure({ test: "crr", flows: options.flows }, options, signal).catch(() => undefined);
    const after = await dropsOf(server.host);
    point.dropped += after.dropped - before.dropped;
    point.earlyDropped += after.earlyDropped - before.earlyDropped;
    if (result?.state === "completed") point.results.push(result);
    else if (result?.state !== "aborted") point.failed++;
    // Those of the run, which would add to what the next one finds; there may be none.
    await server.host.run(["conntrack", "-D", "-d", server.podAddress]).catch(() => undefined);
  }
  return point;
}

/** Established connections, which the kernel does not give up for new ones; they go after ten minutes. */
async function fillTable(host: Namespace, from: number, to: number): Promise<void> {
  if (to <= from) return;
  const lines: string[] = [];
  for (let n = from; n < to; n++) {
    const client = `10.${200 + (n >> 20)}.${(n >> 12) & 255}.${(n >> 4) & 255}`;
    const [port, server] = [1024 + (n & 15), "10.99.0.1"];
    lines.push(
      `-A -t 600 -u SEEN_REPLY,ASSURED -s ${client} -d ${server} -r ${server} -q ${client} -p tcp --sport ${port} --dport 80 --reply-port-src 80 --reply-port-dst ${port} --state ESTABLISHED`,
    );
  }
  // Through cat: what Node.js gives a program as stdin cannot be opened as a file.
  await host.run(["sh", "-c", "cat | conntrack -R -"], { input: `${lines.join("\n")}\n`, timeoutMs: 120_000 });
}

async function dropsOf(host: Namespace): Promise<{ dropped: number; earlyDropped: number }> {
  const text = await host.run(["conntrack", "-S"]);
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`\\b${name}=(\\d+)`, "g"))].reduce((total, [, value]) => total + Number(value), 0);
  return { dropped: sum("drop"), earlyDropped: sum("early_drop") };
}
