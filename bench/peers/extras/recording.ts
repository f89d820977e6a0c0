/** What it costs to time every transaction and to keep it in a histogram. */
import { freePorts } from "../environment.js";
import { compare } from "../stats.js";
import { Subprocess } from "../process.js";
import { buildRrDriver } from "../tools.js";
import { type ExtraContext, type ExtraJob, explain, fact } from "./extra.js";

const DEADLINE_MS = 20_000;
const WINDOW_MS = 250;
/** The cost is far below the noise of one run: many short ones, in turns. */
const ROUNDS_PER_PAIR = 8;

async function perSecond(
  program: string,
  client: "client" | "unrecorded",
  cpu: number,
  signal: AbortSignal,
): Promise<number> {
  const [port] = await freePorts();
  const server = new Subprocess({ argv: [program, "server", String(port), String(cpu)] });
  try {
    await server.listening(port);
    const job = new Subprocess({ argv: [program, client, String(port), String(cpu), String(WINDOW_MS)] });
    const [transactions = NaN, windowNs = NaN] = (await job.finish(DEADLINE_MS, signal)).stdout.split(" ").map(Number);
    return (transactions * 1e9) / windowNs;
  } finally {
    await server.stop(0);
  }
}

export const recording: ExtraJob = {
  id: "recording",
  title: "Rate of RR with every transaction recorded, against none (both ends on one CPU)",
  async run({ pairs, cpus, signal }: ExtraContext) {
    const driver = buildRrDriver();
    if ("missing" in driver) return { facts: [], faults: [`it needs ${driver.missing}`] };
    const recorded: number[] = [];
    const unrecorded: number[] = [];
    try {
      for (let round = 0; round < pairs * ROUNDS_PER_PAIR; round++) {
        recorded.push(await perSecond(driver.program, "client", cpus.client, signal));
        unrecorded.push(await perSecond(driver.program, "unrecorded", cpus.client, signal));
      }
    } catch (error) {
      return { facts: [], faults: [explain(error)] };
    }
    const ratio = compare(recorded, unrecorded);
    return {
      facts: [
        ...fact("every transaction timed and in the histogram", "cnb-load", "per second", recorded),
        ...fact("no clock, no histogram", "cnb-load", "per second", unrecorded),
        ...(ratio === undefined
          ? []
          : [
              {
                what: "ratio of the two, pair by pair",
                who: "cnb-load",
                unit: "ratio" as const,
                summary: ratio.pairwise,
              },
            ]),
      ],
      faults: [],
    };
  },
};
