import { fileURLToPath } from "node:url";
import type { Result } from "../../../dist/index.js";
import { OURS, type Contender, type Setting } from "../model.js";
import { excerpt, isBulk } from "./parse.js";

/** The compiled command line, as a package's user runs it. */
export const CLI = [process.execPath, fileURLToPath(new URL("../../../dist/cli/main.js", import.meta.url))] as const;

const WARMUP = "200ms";

function sizes({ workload: { test, messageBytes, sendBytes, close } }: Setting): string[] {
  if (isBulk({ test })) return sendBytes === null ? [] : ["--send-size", String(sendBytes)];
  const messages = ["--request", String(messageBytes), "--response", String(messageBytes)];
  return test === "crr" ? [...messages, "--close", close] : messages;
}

export const cnbLoad: Contender = {
  name: OURS,
  programs: () => [],
  can: () => true,
  pinsItself: true,
  servesOnce: false,
  server: ({ host, ports }) => [...CLI, "server", "--host", host, "--port", String(ports[0]), "--quiet"],
  client: (setting) => {
    const { workload, host, ports, seconds, cpus, ours } = setting;
    const pinned = cpus === null ? [] : ["--cpus", String(cpus.client), "--server-cpus", String(cpus.server)];
    const common = ["--port", String(ports[0]), "--duration", String(seconds), "--warmup", WARMUP, "--json", "--quiet"];
    const flows = ["--flows", String(workload.flows)];
    return {
      argv: [...CLI, workload.test, host, ...common, ...flows, ...sizes(setting), ...pinned, ...ours],
      copies: 1,
    };
  },
  read: (stdout, { workload }) => {
    const result = parse(stdout);
    const rate = isBulk(workload) ? result.throughput?.bitsPerSecond : result.transactions?.perSecond;
    const receiver = workload.test !== "maerts" ? result.totals.remote : result.totals.local;
    const units = isBulk(workload) ? receiver?.bytesReceived : result.totals.local.transactions;
    if (rate === undefined || units === undefined) throw new Error(`no figure in its result: ${excerpt(stdout)}`);
    return { rate, units };
  },
};

function parse(stdout: string): Result {
  try {
    return JSON.parse(stdout) as Result;
  } catch {
    throw new Error(`no JSON in its output: ${excerpt(stdout)}`);
  }
}
