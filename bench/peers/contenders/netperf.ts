import type { Contender, Setting, Test } from "../model.js";
import { isBulk, numbersAfter, sum } from "./parse.js";

const NAMES: Readonly<Record<Test, string>> = {
  rr: "TCP_RR",
  crr: "TCP_CRR",
  stream: "TCP_STREAM",
  maerts: "TCP_MAERTS",
  "udp-stream": "UDP_STREAM",
  "udp-rr": "UDP_RR",
};
const MEGABIT = 1e6;

function testOptions({ workload: { test, messageBytes, sendBytes } }: Setting): string[] {
  if (!isBulk({ test })) return ["-r", `${messageBytes},${messageBytes}`];
  if (sendBytes === null) return [];
  // -m and -M are the client's and the server's size, of sends and of receives alike.
  if (test === "maerts") return ["-M", String(sendBytes)];
  // Datagrams of a test in one direction it would not let be routed otherwise.
  return ["-m", String(sendBytes), ...(test === "udp-stream" ? ["-R", "1"] : [])];
}

/** One process per flow and side, as netperf has it. */
export const netperf: Contender = {
  name: "netperf",
  programs: () => ["netperf", "netserver"],
  // Its CRR lets the server close first, too.
  can: ({ close }) => close === "server",
  pinsItself: false,
  servesOnce: false,
  server: ({ host, ports }) => ["netserver", "-D", "-4", "-L", host, "-p", String(ports[0])],
  client: (setting) => {
    const { workload, host, ports, seconds } = setting;
    const where = ["-4", "-H", host, "-p", String(ports[0])];
    const what = ["-t", NAMES[workload.test], "-l", String(seconds), "-P", "0"];
    // With a unit of bits, netperf turns transactions into bits as well.
    const unit = isBulk(workload) ? ["-f", "m"] : [];
    const argv = [
      "netperf",
      ...where,
      ...what,
      ...unit,
      "--",
      ...testOptions(setting),
      "-k",
      "THROUGHPUT,ELAPSED_TIME",
    ];
    return { argv, copies: workload.flows };
  },
  read: (stdout, { workload }) => {
    const rates = numbersAfter(/^THROUGHPUT=([\d.]+)/gm, stdout);
    const times = numbersAfter(/^ELAPSED_TIME=([\d.]+)/gm, stdout);
    if (rates.length !== workload.flows || times.length !== workload.flows) {
      throw new Error(`${rates.length} of ${workload.flows} netperf processes gave a figure`);
    }
    const scale = isBulk(workload) ? MEGABIT : 1;
    const units = sum(rates.map((rate, index) => rate * scale * (times[index] as number)));
    return { rate: sum(rates) * scale, units: isBulk(workload) ? units / 8 : units };
  },
};
