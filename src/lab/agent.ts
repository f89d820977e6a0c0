/**
 * A process in one namespace that serves or measures there, on its parent's orders, through nothing but the package's public API. It ends
 * with its parent: the channel between them closes then.
 */
import { run, type RunOptions, serve, type Server } from "../index.js";
import type { Order, Reply } from "./agent-messages.js";

let server: Server | undefined;
const parentGone = new AbortController();
const runs = new Map<number, AbortController>();

async function carryOut(order: Order): Promise<unknown> {
  switch (order.do) {
    case "serve":
      server = await serve({ host: order.host, port: 0, maxFlows: 1_000_000 });
      return server.port;
    case "run":
      return await measure(order.id, order.options, order.tellOpened);
    case "abort":
      runs.get(order.run)?.abort();
      return null;
  }
}

async function measure(id: number, options: RunOptions, tellOpened: boolean): Promise<unknown> {
  const controller = new AbortController();
  runs.set(id, controller);
  try {
    const signal = AbortSignal.any([controller.signal, parentGone.signal]);
    if (!tellOpened) return await run(options, { signal });
    const test = run({ ...options, interval: "50ms" }, { signal });
    for await (const _interval of test) {
      reply({ id, opened: true });
      break;
    }
    return await test;
  } finally {
    runs.delete(id);
  }
}

async function obey(order: Order): Promise<void> {
  try {
    reply({ id: order.id, value: await carryOut(order) });
  } catch (error) {
    reply({ id: order.id, error: error instanceof Error ? error.message : String(error) });
  }
}

function reply(message: Reply): void {
  if (process.connected) process.send?.(message);
}

process.on("message", (order: Order) => void obey(order));
process.on("disconnect", () => {
  parentGone.abort();
  void server?.close();
});
