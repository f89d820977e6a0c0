/** A worker thread that runs a pair and posts "working"; then it goes on until it is told how to end. */
import { parentPort, workerData } from "node:worker_threads";
import { untilWorking, startPair } from "./pair.mjs";

const pair = startPair(workerData);
await untilWorking(pair.client);
parentPort.postMessage("working");
parentPort.once("message", async (how) => {
  if (how === "exit") process.exit(5);
  if (how === "throw") throw new Error("thrown in the worker");
  for (const session of [pair.client, pair.server]) session.stop();
  await pair.ended;
  parentPort.postMessage(pair.client.result().counters.transactions);
});
