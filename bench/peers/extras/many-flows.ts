/** RR with 10,000 flows: how long they take to start, what they cost, how their rate per CPU time compares with 32 flows. */
import type { Result } from "../../../dist/index.js";
import { bareLoop } from "../contenders/bare-loop.js";
import { CLI } from "../contenders/cnb-load.js";
import { LOOPBACK, freePorts } from "../environment.js";
import { type Usage, Subprocess } from "../process.js";
import { Tap } from "../tap.js";
import { type ExtraContext, type ExtraJob, explain, fact } from "./extra.js";

const FEW = 32;
const MANY = 10_000;
const DEADLINE_MS = 60_000;

interface Run {
  startMs: number;
  perSecond: number;
  /** Transactions per second of CPU time of both ends' workers, within the window. */
  perCpuSecond: number;
  clientBytes: number;
  serverBytes: number;
}

async function runWith(flows: number, { seconds, cpus, signal }: ExtraContext): Promise<Run> {
  const { host } = LOOPBACK;
  const [port] = await freePorts();
  const server = new Subprocess({ argv: [...CLI, "server", "--host", host, "--port", String(port), "--quiet"] });
  try {
    await server.listening(port);
    await using tap = await Tap.open(host, port);
    const pinned = [
      "--cpus",
      String(cpus.client),
      "--server-cpus",
      String(cpus.server ?? cpus.client),
      "--engine",
      "epoll",
    ];
    const length = ["--duration", String(seconds), "--warmup", "500ms"];
    const client = new Subprocess({
      argv: [
        ...CLI,
        "rr",
        host,
        "--port",
        String(tap.port),
        "--flows",
        String(flows),
        ...pinned,
        ...length,
        "--json",
        "--quiet",
      ],
    });
    const { stdout, usage } = await client.finish(DEADLINE_MS, signal).finally(() => client.stop(0));
    const served = await server.stop();
    const { transactions, workers } = JSON.parse(stdout) as Result;
    const perSecond = transactions?.perSecond ?? NaN;
    return {
      startMs: tap.timeOf("client go") - client.startedMs,
      perSecond,
      perCpuSecond: perSecond / ((workers.local.busyCores ?? NaN) + (workers.remote?.busyCores ?? NaN)),
      clientBytes: peak(usage),
      serverBytes: peak(served.usage),
    };
  } finally {
    await server.stop();
  }
}

/** Transactions per second of CPU time of both ends of a bare loop, while its traffic flows. */
async function bareWith(flows: number, { seconds, cpus, cpuCount, signal }: ExtraContext): Promise<number> {
  const both = { client: cpus.client, server: cpus.server ?? cpus.client };
  const workload = { test: "rr", flows, messageBytes: 1, sendBytes: null, close: "server" } as const;
  const place = { host: LOOPBACK.host, ports: await freePorts(), cpus: both, cpuCount };
  const setting = { workload, seconds, ...place, ours: [], best: false };
  const server = new Subprocess({ argv: bareLoop("server", setting), cpu: both.server });
  try {
    await server.listening(setting.ports[0]);
    const client = new Subprocess({ argv: bareLoop("client", setting), cpu: both.client });
    const ended = await client.finish(DEADLINE_MS, signal).finally(() => client.stop(0));
    const served = await server.finish(DEADLINE_MS, signal);
    const [ours, theirs] = [ended, served].map(({ stdout }) => stdout.split(" ").map(Number)) as [number[], number[]];
    return (ours[0] ?? NaN) / ((ours[2] ?? NaN) + (theirs[2] ?? NaN));
  } finally {
    await server.stop();
  }
}

function peak(usage: Usage | undefined): number {
  if (usage === undefined) throw new Error("the meter did not report");
  return usage.peakBytes;
}

export const manyFlows: ExtraJob = {
  id: "many-flows",
  title: "RR, 10,000 flows, epoll, one worker per side, apart",
  async run(context: ExtraContext) {
    const few: Run[] = [];
    const many: Run[] = [];
    const bareRatios: number[] = [];
    const faults: string[] = [];
    for (let round = 0; round < (context.quick ? 1 : context.pairs); round++) {
      try {
        const [one, other] = [await runWith(FEW, context), await runWith(MANY, context)];
        few.push(one);
        many.push(other);
        const [bareFew, bareMany] = [await bareWith(FEW, context), await bareWith(MANY, context)];
        bareRatios.push(bareMany / bareFew);
      } catch (error) {
        context.signal.throwIfAborted();
        faults.push(explain(error));
      }
    }
    const ratios = many.map(({ perCpuSecond }, round) => perCpuSecond / (few[round] as Run).perCpuSecond);
    return {
      facts: [
        ...fact(
          "from exec until requests flow on all of them",
          "cnb-load",
          "ms",
          many.map(({ startMs }) => startMs),
        ),
        ...fact(
          "peak memory, client",
          "cnb-load",
          "bytes",
          many.map(({ clientBytes }) => clientBytes),
        ),
        ...fact(
          "peak memory, server",
          "cnb-load",
          "bytes",
          many.map(({ serverBytes }) => serverBytes),
        ),
        ...fact(
          "transactions",
          "cnb-load",
          "per second",
          many.map(({ perSecond }) => perSecond),
        ),
        ...fact(`transactions per CPU time of the workers, against ${FEW} flows`, "cnb-load", "ratio", ratios),
        ...fact(`the same of both processes`, "bare loop", "ratio", bareRatios),
      ],
      faults,
    };
  },
};
