import type { Contender } from "../model.js";
import { excerpt, isBulk } from "./parse.js";

interface Report {
  end?: { sum_received?: { bits_per_second: number; bytes: number } };
}

export const iperf3: Contender = {
  name: "iperf3",
  programs: () => ["iperf3"],
  can: isBulk,
  pinsItself: false,
  servesOnce: true,
  server: ({ host, ports }) => ["iperf3", "-s", "-1", "-B", host, "-p", String(ports[0])],
  client: ({ workload, host, ports, seconds }) => {
    const what = ["-t", String(seconds), "-P", String(workload.flows), "-i", "0", "-J"];
    const size = workload.sendBytes === null ? [] : ["-l", String(workload.sendBytes)];
    // Without a bandwidth of 0 it paces datagrams to 1 Mbit/s.
    const kind = { maerts: ["-R"], "udp-stream": ["-u", "-b", "0"] }[workload.test as string] ?? [];
    return { argv: ["iperf3", "-c", host, "-p", String(ports[0]), ...what, ...size, ...kind], copies: 1 };
  },
  read: (stdout) => {
    const received = (JSON.parse(stdout) as Report).end?.sum_received;
    if (received === undefined) throw new Error(`no figure in its output: ${excerpt(stdout)}`);
    return { rate: received.bits_per_second, units: received.bytes };
  },
};
