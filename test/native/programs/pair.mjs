/** Both halves of a test in a program of their own; plans come as JSON. */
import { setTimeout as delay } from "node:timers/promises";
import { loadAddon } from "../../../dist/native/index.js";

/** @param {{ server: object, client: object }} plans as `toPlans` of the test writes them */
export function startPair(plans) {
  const { Session } = loadAddon();
  const settled = [];
  const start = (plan) => {
    let onEnded;
    settled.push(new Promise((resolve) => (onEnded = resolve)));
    return new Session({ ...plan, cookie: Uint8Array.from(plan.cookie) }, (event) => {
      if (event.type === "ended") onEnded(event.fault);
    });
  };
  const server = start(plans.server);
  const client = start({ ...plans.client, port: server.port });
  for (const session of [server, client]) {
    session.openWindow();
    session.go();
  }
  return { server, client, ended: Promise.all(settled) };
}

export async function untilWorking(session, more = 20) {
  const count = () => {
    const { transactions, bytesSent } = session.snapshot(false).counters;
    return transactions + bytesSent / 1e6;
  };
  const from = count();
  while (count() < from + more) await delay(2);
}
