/** `node crowd.mjs`: several servers and many runs in one process, all under one signal. Prints how they ended; then nothing may keep the process. */
import { descriptorsAtRest, ENDLESS, host, leftovers, run, serve, working } from "./library.mjs";

const TESTS = ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr"];
const before = await descriptorsAtRest();
const controller = new AbortController();
const { signal } = controller;
const servers = await Promise.all([1, 2, 3].map(() => serve({ host, port: 0 })));
const [doomed, ...others] = servers;

const start = (test, { port }, options) => run({ ...options, test, host, port, flows: 2 }, { signal });

const quick = { duration: "200ms", warmup: "20ms" };
const completed = await Promise.all(servers.flatMap((server) => TESTS.map((test) => start(test, server, quick))));

// One server closes under its clients; those of the others go on until they are aborted.
const failing = TESTS.map((test) => start(test, doomed, ENDLESS));
const lasting = others.flatMap((server) => TESTS.map((test) => start(test, server, ENDLESS)));
await Promise.all([...failing, ...lasting].map(working));
await doomed.close();
const failures = await Promise.allSettled(failing);
await Promise.all(lasting.map(working));
controller.abort();
const aborted = await Promise.all(lasting);
await Promise.all(others.map((server) => server.close()));

console.log(
  JSON.stringify({
    completed: completed.map(({ state }) => state),
    failures: failures.map(({ reason }) => [reason?.code, reason?.result?.state]),
    aborted: aborted.map(({ state }) => state),
    left: await leftovers(before),
  }),
);
