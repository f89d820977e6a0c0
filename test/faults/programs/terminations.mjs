/**
 * `node terminations.mjs COUNT`: that many threads, each with both ends of a run or the client's alone, terminated at a point of their life
 * that is another one each time. Prints what became of them and what is left.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { readdirSync, readlinkSync } from "node:fs";
import {
  ENDLESS,
  descriptorsAtRest,
  host,
  run,
  serve,
  sessionThreads,
  until,
  working,
} from "../../lifecycle/programs/library.mjs";

const KINDS = [
  ...[
    ["tcp_rr", "epoll"],
    ["tcp_stream", "block"],
    ["tcp_crr", "block"],
    ["tcp_maerts", "uring"],
  ],
  ...[
    ["udp_rr", "epoll"],
    ["udp_stream", "spin"],
    ["tcp_cc", "epoll"],
  ],
];
const LANES = 4;

/** But for files: Node leaves open those that a thread is reading when it is terminated while it loads its modules. */
function descriptors() {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return !readlinkSync(`/proc/self/fd/${fd}`).startsWith("/");
    } catch {
      return false;
    }
  }).length;
}

async function inThread({ port, kind: [test, engine] }) {
  parentPort.postMessage("loaded");
  const to = port === 0 ? (await serve({ host, port: 0 })).port : port;
  const going = run({ ...ENDLESS, test, engine, flows: 2, port: to });
  parentPort.postMessage("started");
  await working(going);
  parentPort.postMessage("working");
}

/** Waits for one of these, and then for some ms more. */
const POINTS = ["online", "loaded", "started", "working"].flatMap((stage) => [0, 1, 3, 7].map((ms) => [stage, ms]));

async function terminateOne(index, port) {
  const [stage, ms] = POINTS[index % POINTS.length];
  const kind = KINDS[index % KINDS.length];
  const worker = new Worker(new URL(import.meta.url), { workerData: { port: index % 3 === 0 ? 0 : port, kind } });
  const reached = new Promise((resolve, reject) => {
    worker.on("online", () => stage === "online" && resolve());
    worker.on("message", (said) => said === stage && resolve());
    worker.on("error", reject);
  });
  await reached;
  if (ms > 0) await delay(ms);
  const exit = once(worker, "exit");
  await worker.terminate();
  await exit;
  return stage;
}

if (isMainThread) {
  const count = Number(process.argv[2]);
  await descriptorsAtRest();
  const before = descriptors();
  const outcomes = {};
  const server = await serve({
    host,
    port: 0,
    onSession: ({ outcome }) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1),
  });
  const terminated = {};
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const stage = await terminateOne(next++, server.port);
      terminated[stage] = (terminated[stage] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  // The one that is left is as good as new.
  const { state } = await run({ test: "tcp_rr", host, port: server.port, duration: "50ms", warmup: 0 });
  await server.close();
  await until(() => sessionThreads().length === 0 && descriptors() <= before);
  const left = { threads: sessionThreads(), descriptors: Math.max(0, descriptors() - before) };
  console.log(JSON.stringify({ terminated, outcomes, state, left }));
} else {
  await inThread(workerData);
}
