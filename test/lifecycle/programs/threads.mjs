/**
 * `node threads.mjs ROLE TEST ENGINE`: a thread that has the client's end of a run, the server's, or both is terminated in its midst. Prints
 * what became of the other end and what is left in the process.
 */
import { once } from "node:events";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { ENDLESS, descriptorsAtRest, host, leftovers, run, serve, until, working } from "./library.mjs";

/** Posts the server's port, or 0 once the run is under way. */
async function inThread({ role, port, options }) {
  const server = role === "client" ? { port } : await serve({ host, port: 0 });
  if (role !== "server") await working(run({ ...options, port: server.port }));
  parentPort.postMessage(role === "server" ? server.port : 0);
}

async function startThread(role, port, options) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { role, port, options } });
  const [said] = await once(worker, "message");
  return { worker, said };
}

const OTHER_END = {
  async client(options) {
    const sessions = [];
    const server = await serve({ host, port: 0, onSession: (summary) => sessions.push(summary) });
    const { worker } = await startThread("client", server.port, options);
    const code = await worker.terminate();
    await until(() => sessions.length > 0);
    await server.close();
    return { code, other: sessions.map(({ outcome, error }) => [outcome, error?.code]) };
  },
  async server(options) {
    const { worker, said: port } = await startThread("server", 0, options);
    const test = run({ ...options, port });
    await working(test);
    const code = await worker.terminate();
    const other = await test.then(
      ({ state }) => state,
      (error) => [error.result.state, error.code],
    );
    return { code, other: [other] };
  },
  async both(options) {
    const { worker } = await startThread("both", 0, options);
    return { code: await worker.terminate(), other: [] };
  },
};

if (isMainThread) {
  const [role, test, engine] = process.argv.slice(2);
  const before = await descriptorsAtRest();
  const outcome = await OTHER_END[role]({ ...ENDLESS, test, engine, flows: 2 });
  console.log(JSON.stringify({ ...outcome, left: await leftovers(before) }));
} else {
  await inThread(workerData);
}
