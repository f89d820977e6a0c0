/** `node --expose-gc collect.mjs PLANS`: prints what garbage collection did to sessions during and after their run. */
import { readdirSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { untilWorking, startPair } from "./pair.mjs";

const descriptors = () => readdirSync("/proc/self/fd").length;

async function collect() {
  for (let round = 0; round < 10; round++) {
    await turn();
    globalThis.gc();
  }
}

/** Leaves nothing but weak references, and a function that stops the pair. */
async function startAndForget(plans) {
  const { server, client, ended } = startPair(plans);
  return { weak: [new WeakRef(server), new WeakRef(client)], ended };
}

const before = descriptors();
const { weak, ended } = await startAndForget(JSON.parse(process.argv[2]));
await collect();
const aliveDuring = weak.every((reference) => reference.deref() !== undefined);
await untilWorking(weak[1].deref());
for (const reference of weak) reference.deref().stop();
await ended;
const descriptorsLeft = descriptors() - before;
await collect();
const aliveAfter = weak.some((reference) => reference.deref() !== undefined);
console.log(JSON.stringify({ aliveDuring, aliveAfter, descriptorsLeft }));
