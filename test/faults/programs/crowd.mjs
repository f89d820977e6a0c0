/** `node crowd.mjs PORT COUNT`: that many runs at once, each with a little traffic. Prints how they ended. */
import { run } from "../../../dist/index.js";

const [port, count] = process.argv.slice(2).map(Number);
const KINDS = [
  ...["tcp_rr", "tcp_crr", "udp_rr"].map((test) => ({ test, rate: 20 })),
  ...["tcp_stream", "tcp_maerts", "udp_stream"].map((test) => ({ test, bandwidth: 1e6 })),
];

const ended = Array.from({ length: count }, async (_, index) => {
  const kind = KINDS[index % KINDS.length];
  const options = { ...kind, host: "127.0.0.1", port, engine: "epoll", duration: "3s", warmup: 0 };
  return (await run(options)).state;
});
const outcomes = await Promise.allSettled(ended);
console.log(JSON.stringify(outcomes.map(({ value, reason }) => value ?? `${reason.code}: ${reason.message}`)));
