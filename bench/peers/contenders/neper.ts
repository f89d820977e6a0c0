import type { Contender, Setting, Test } from "../model.js";
import { isBulk, numberAfter } from "./parse.js";

const PROGRAMS: Readonly<Record<Test, string>> = {
  rr: "tcp_rr",
  crr: "tcp_crr",
  stream: "tcp_stream",
  maerts: "tcp_stream",
  "udp-stream": "udp_stream",
  "udp-rr": "udp_rr",
};

/** Both ends take the same options. One thread per end where it is pinned, else one per CPU. */
function command({ workload, ports, cpus, cpuCount }: Setting): string[] {
  const { test, flows, messageBytes, sendBytes } = workload;
  const threads = cpus === null ? Math.min(flows, cpuCount) : 1;
  const messages = isBulk(workload) ? [] : ["-Q", String(messageBytes), "-R", String(messageBytes)];
  return [
    ...[PROGRAMS[test], "-4", "--nolog", "-C", String(ports[0]), "-P", String(ports[1])],
    ...["-F", String(flows), "-T", String(threads), ...messages],
    ...(test === "maerts" ? ["-M"] : []),
    ...(isBulk(workload) && sendBytes !== null ? ["-B", String(sendBytes)] : []),
  ];
}

export const neper: Contender = {
  name: "neper",
  programs: (test) => [PROGRAMS[test]],
  // Its clients reset their connections. With --time-wait the client closes first, which no row asks for.
  can: ({ test, close }) => (test !== "crr" || close === "reset") && !test.startsWith("udp"),
  pinsItself: false,
  servesOnce: true,
  server: (setting) => command(setting),
  client: (setting) => {
    const length = ["-c", "-H", setting.host, "-l", String(setting.seconds)];
    return { argv: [...command(setting), ...length], copies: 1 };
  },
  read: (stdout, { workload, seconds }) => {
    // Each end counts what it received, in bit/s, and tells the other.
    const receiver = workload.test === "stream" ? "remote" : "local";
    const rate = numberAfter(new RegExp(`^${receiver}_throughput=([\\d.]+)`, "m"), stdout);
    if (isBulk(workload)) return { rate, units: (rate * seconds) / 8 };
    return { rate, units: numberAfter(/^num_transactions=(\d+)/m, stdout) };
  },
};
