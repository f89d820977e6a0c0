/** What it takes until something happens: importing the package, and from the command's start to its traffic. */
import { pathToFileURL } from "node:url";
import { ROOT } from "../../shared/paths.js";
import { CLI } from "../contenders/cnb-load.js";
import { LOOPBACK, freePorts } from "../environment.js";
import { Subprocess } from "../process.js";
import { Tap } from "../tap.js";
import { type ExtraContext, type ExtraJob, fact } from "./extra.js";

const DEADLINE_MS = 20_000;

interface Alone {
  ms: number;
  peakBytes: number;
}

async function nodeAlone(signal: AbortSignal): Promise<Alone> {
  const job = new Subprocess({ argv: [process.execPath, "-e", "0"] });
  const { usage } = await job.finish(DEADLINE_MS, signal);
  return { ms: performance.now() - job.startedMs, peakBytes: usage?.peakBytes ?? NaN };
}

const IMPORT = `
  const start = performance.now();
  await import("${pathToFileURL(`${ROOT}dist/index.js`).href}");
  console.log(performance.now() - start);
`;

/** As the importing process sees it, in a fresh one: node's own start is not in it. */
async function importMs(signal: AbortSignal): Promise<number> {
  const job = new Subprocess({ argv: [process.execPath, "--input-type=module", "-e", IMPORT] });
  return Number((await job.finish(DEADLINE_MS, signal)).stdout);
}

/** From the spawn of `cnb-load rr` to the moments that a tap on its control connection sees, ms. */
async function firstTraffic(signal: AbortSignal): Promise<{ ready: number; go: number }> {
  const { host } = LOOPBACK;
  const [port] = await freePorts();
  const server = new Subprocess({ argv: [...CLI, "server", "--host", host, "--port", String(port), "--quiet"] });
  try {
    await server.listening(port);
    await using tap = await Tap.open(host, port);
    const client = new Subprocess({
      argv: [...CLI, "rr", host, "--port", String(tap.port), "--duration", "100ms", "--warmup", "0", "--quiet"],
    });
    await client.finish(DEADLINE_MS, signal).finally(() => client.stop(0));
    const since = (message: string): number => tap.timeOf(message) - client.startedMs;
    return { ready: since("server ready"), go: since("client go") };
  } finally {
    await server.stop();
  }
}

export const start: ExtraJob = {
  id: "start",
  title: "Start",
  async run({ pairs, signal }: ExtraContext) {
    const alone: Alone[] = [];
    const imports: number[] = [];
    const traffic: { ready: number; go: number }[] = [];
    for (let round = 0; round < pairs; round++) {
      alone.push(await nodeAlone(signal));
      imports.push(await importMs(signal));
      traffic.push(await firstTraffic(signal));
    }
    return {
      facts: [
        ...fact(
          "node alone, from exec to exit",
          "node",
          "ms",
          alone.map(({ ms }) => ms),
        ),
        ...fact(
          "node alone, peak memory",
          "node",
          "bytes",
          alone.map(({ peakBytes }) => peakBytes),
        ),
        ...fact("importing the package in a fresh process", "cnb-load", "ms", imports),
        ...fact(
          "rr: from exec until the server has its first bytes on the data connection",
          "cnb-load",
          "ms",
          traffic.map(({ ready }) => ready),
        ),
        ...fact(
          "rr: from exec until requests flow",
          "cnb-load",
          "ms",
          traffic.map(({ go }) => go),
        ),
      ],
      faults: [],
    };
  },
};
