/** `node aborts.mjs TEST ENGINE`: aborts runs at as many points of their life as can be. Prints how they ended, on either end, and what is left. */
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { descriptors, host, leftovers, run, serve } from "./library.mjs";

const [test, engine] = process.argv.slice(2);
const options = { test, engine, host, flows: 2, warmup: "60ms", duration: "60ms" };
/** Turns of the event loop and milliseconds: connecting and shaking hands are a matter of turns, and what follows of time. */
const TURNS = 60;
const LENGTH_MS = 200;
const AT_ONCE = 4;

const turns = (count) => async () => {
  for (let i = 0; i < count; i++) await turn();
};
const pause = (ms) => () => delay(ms);
const points = [
  ...Array.from({ length: TURNS }, (_, i) => turns(i)),
  ...Array.from({ length: LENGTH_MS / 4 }, (_, i) => pause(4 * i)),
];

const outcomes = [];
const server = await serve({ host, port: 0, onSession: ({ outcome }) => outcomes.push(outcome) });

async function abortAfter(wait) {
  const controller = new AbortController();
  const going = run({ ...options, port: server.port }, { signal: controller.signal });
  await wait();
  controller.abort();
  return (await going).state;
}

// What is loaded on use stays.
const states = [(await run({ ...options, port: server.port }, { signal: AbortSignal.timeout(60_000) })).state];
const before = descriptors();
while (points.length > 0) states.push(...(await Promise.all(points.splice(0, AT_ONCE).map(abortAfter))));
const left = await leftovers(before);
await server.close();

const count = (words) =>
  Object.fromEntries([...new Set(words)].map((word) => [word, words.filter((w) => w === word).length]));
console.log(JSON.stringify({ runs: count(states), sessions: count(outcomes), left }));
