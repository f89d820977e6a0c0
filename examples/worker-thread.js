// Runs in a worker_thread, live figures in the main one:    node worker-thread.js [HOST [PORT]]
// The traffic has threads of its own in any case; a worker keeps the harness's work on results off its main thread.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { run, serve } from "cnb-load";

async function measure({ host, port }) {
  const server = host === undefined ? await serve({ host: "127.0.0.1", port: 0 }) : undefined;
  const target = server === undefined ? { host, port } : { host: "127.0.0.1", port: server.port };
  const test = run({ test: "tcp_rr", ...target, flows: 4, duration: "2s", interval: "500ms" });
  for await (const { transactions } of test) parentPort.postMessage({ perSecond: transactions.perSecond });
  // A result is plain JSON and crosses threads as it is.
  parentPort.postMessage({ result: await test });
  await server?.close();
}

if (isMainThread) {
  const [host, port = "12865"] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: { host, port: Number(port) } });
  worker.on("message", ({ perSecond, result }) => {
    if (perSecond !== undefined) console.log(`${Math.round(perSecond)} requests/s`);
    if (result !== undefined) console.log(`${result.state}: p99 ${result.latency.p99Ns / 1000} us`);
  });
} else {
  await measure(workerData);
}
