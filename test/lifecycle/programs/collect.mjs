/** `node --expose-gc collect.mjs`: runs under constant garbage collection. Prints how they ended and whether they are collected afterwards. */
import { setImmediate as turn } from "node:timers/promises";
import { descriptorsAtRest, host, leftovers, run, serve, until } from "./library.mjs";

const before = await descriptorsAtRest();
const sessions = [];
const { port, close } = await (async () => {
  const server = await serve({ host, port: 0, onSession: ({ outcome }) => sessions.push(outcome) });
  return { port: server.port, close: () => server.close() };
})();

const garbage = [];
const churn = setInterval(() => {
  garbage.splice(0, Infinity, ...Array.from({ length: 20_000 }, (_, i) => ({ i, text: String(i) })));
  globalThis.gc();
}, 5);

const start = (test, engine) =>
  run({ test, engine, host, port, flows: 2, duration: "300ms", warmup: 0, interval: "50ms" });

/** Nobody holds on to this one: only a weak reference is left. */
const forget = () => new WeakRef(start("tcp_rr", "epoll"));

async function watched(test, engine) {
  const going = start(test, engine);
  const live = [];
  for await (const interval of going) live.push(interval);
  const { state, intervals } = await going;
  return { weak: new WeakRef(going), state, complete: live.length === intervals.length };
}

const forgotten = forget();
const runs = await Promise.all([
  watched("tcp_stream", "block"),
  watched("tcp_rr", "epoll"),
  watched("tcp_crr", "epoll"),
]);
await until(() => sessions.length === 4);
clearInterval(churn);
garbage.length = 0;
await close();
const weak = [forgotten, ...runs.map((one) => one.weak)];
for (let round = 0; round < 50; round++) {
  await turn();
  globalThis.gc();
}
console.log(
  JSON.stringify({
    sessions,
    runs: runs.map(({ state, complete }) => [state, complete]),
    alive: weak.filter((reference) => reference.deref() !== undefined).length,
    left: await leftovers(before),
  }),
);
