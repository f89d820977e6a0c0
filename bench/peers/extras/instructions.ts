/** User-space instructions per transaction of TCP_RR with blocking calls, counted by callgrind. */
import { once } from "node:events";
import { type Socket, connect, createServer } from "node:net";
import { freePorts } from "../environment.js";
import { type Job, Subprocess } from "../process.js";
import type { Fact } from "../report.js";
import { buildRrDriver, onPath } from "../tools.js";
import { type ExtraContext, type ExtraJob, explain, fact } from "./extra.js";

const HOST = "127.0.0.1";
/** Two counts: their difference has no start, set-up or end in it. */
const COUNTS = [2_000, 12_000] as const;
/** What the addon's server reads before the first request: 16 bytes of cookie, the flow's index as u32. */
const PROLOGUE = Buffer.alloc(20);
const DEADLINE_MS = 120_000;

const CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"];

function collected(stderr: string): number {
  const counts = [...stderr.matchAll(/Collected : (\d+)/g)].map((match) => Number(match[1]));
  if (counts.length !== 1) throw new Error(`expected one "Collected" of callgrind, got ${counts.length}`);
  return counts[0] as number;
}

async function countedJob(argv: readonly string[], during: (job: Subprocess) => Promise<unknown>): Promise<number> {
  const job: Job = { argv: [...CALLGRIND, ...argv] };
  const subprocess = new Subprocess(job);
  try {
    await during(subprocess);
    return collected((await subprocess.ended).stderr);
  } finally {
    await subprocess.stop(0);
  }
}

/** Answers each byte after the prologue with one, then closes. */
function answer(socket: Socket, transactions: number): void {
  let left = transactions;
  let prologue = PROLOGUE.length;
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    const requests = Math.min(Math.max(0, chunk.length - prologue), left);
    prologue = Math.max(0, prologue - chunk.length);
    left -= requests;
    if (requests > 0) socket.write(chunk.subarray(0, requests));
    if (left === 0) socket.end();
  });
}

async function ourClient(program: string, transactions: number): Promise<number> {
  const server = createServer((socket) => answer(socket, transactions)).listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  try {
    return await countedJob([program, "client", String(port)], (job) => job.finish(DEADLINE_MS));
  } finally {
    server.close();
  }
}

async function ourServer(program: string, transactions: number): Promise<number> {
  const [port] = await freePorts();
  return countedJob([program, "server", String(port)], async (job) => {
    await job.listening(port);
    const socket = connect(port, HOST).setNoDelay(true);
    let left = transactions;
    socket.write(Buffer.concat([PROLOGUE, Buffer.alloc(1)]));
    socket.on("data", () => {
      left--;
      if (left === 0) socket.end();
      else socket.write("x");
    });
    socket.on("error", () => undefined);
    await job.finish(DEADLINE_MS);
  });
}

/** With `client` or `server` of the two under callgrind. */
async function netperfEnd(end: "client" | "server", transactions: number): Promise<number> {
  const [port] = await freePorts();
  const serverArgv = ["netserver", "-D", "-f", "-4", "-L", HOST, "-p", String(port)];
  const options = ["-4", "-H", HOST, "-p", String(port), "-t", "TCP_RR", "-l", String(-transactions), "-P", "0"];
  const clientArgv = ["netperf", ...options, "--", "-r", "1,1"];
  if (end === "server") {
    return countedJob(serverArgv, async (server) => {
      await server.listening(port);
      await new Subprocess({ argv: clientArgv }).finish(DEADLINE_MS);
      await server.stop();
    });
  }
  const server = new Subprocess({ argv: serverArgv });
  try {
    await server.listening(port);
    return await countedJob(clientArgv, (client) => client.finish(DEADLINE_MS));
  } finally {
    await server.stop();
  }
}

async function perTransaction(count: (transactions: number) => Promise<number>): Promise<number> {
  const [few, many] = [await count(COUNTS[0]), await count(COUNTS[1])];
  return (many - few) / (COUNTS[1] - COUNTS[0]);
}

export const instructions: ExtraJob = {
  id: "instructions",
  title: "User-space instructions per RR transaction (callgrind)",
  async run({ peers }: ExtraContext) {
    const facts: Fact[] = [];
    const faults: string[] = [];
    if (!onPath("valgrind")) return { facts, faults: ["valgrind is not on PATH"] };
    const add = async (what: string, who: string, count: (transactions: number) => Promise<number>): Promise<void> => {
      try {
        facts.push(...fact(what, who, "count", [await perTransaction(count)]));
      } catch (error) {
        faults.push(`${who}, ${what}: ${explain(error)}`);
      }
    };
    const driver = buildRrDriver();
    if ("missing" in driver) {
      faults.push(`cnb-load was not counted: it needs ${driver.missing}`);
    } else {
      await add("client, every transaction timed and in the histogram", "cnb-load", (n) =>
        ourClient(driver.program, n),
      );
      await add("server", "cnb-load", (n) => ourServer(driver.program, n));
    }
    if (peers.some(({ name }) => name === "netperf")) {
      await add("client, as it comes: no histogram", "netperf", (n) => netperfEnd("client", n));
      await add("server", "netperf", (n) => netperfEnd("server", n));
    }
    return { facts, faults };
  },
};
