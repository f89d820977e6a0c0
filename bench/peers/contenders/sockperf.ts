import type { Contender, Workload } from "../model.js";
import { numberAfter } from "./parse.js";

/** Its smallest message: a header travels in it. */
export const SOCKPERF_MESSAGE_BYTES = 14;

const protocol = ({ test }: Workload): string[] => (test === "udp-rr" ? [] : ["--tcp"]);

export const sockperf: Contender = {
  name: "sockperf",
  programs: () => ["sockperf"],
  can: ({ test, flows, messageBytes }) =>
    (test === "rr" || test === "udp-rr") && flows === 1 && messageBytes >= SOCKPERF_MESSAGE_BYTES,
  pinsItself: false,
  servesOnce: false,
  // It sleeps before it connects.
  leadMs: 1_700,
  server: ({ workload, host, ports }) => [
    "sockperf",
    "server",
    ...protocol(workload),
    "-i",
    host,
    "-p",
    String(ports[0]),
  ],
  client: ({ workload, host, ports, seconds }) => {
    const what = ["-t", String(seconds), "-m", String(workload.messageBytes)];
    return {
      argv: ["sockperf", "ping-pong", ...protocol(workload), "-i", host, "-p", String(ports[0]), ...what],
      copies: 1,
    };
  },
  read: (stdout) => ({
    rate:
      numberAfter(/\[Valid Duration\].*ReceivedMessages=(\d+)/, stdout) /
      numberAfter(/\[Valid Duration\] RunTime=([\d.]+)/, stdout),
    units: numberAfter(/\[Total Run\].*ReceivedMessages=(\d+)/, stdout),
  }),
};
