import type { Contender } from "../model.js";
import { isBulk, numberAfter } from "./parse.js";

/** -uu: plain units; -vv: counts, too. */
export const qperf: Contender = {
  name: "qperf",
  programs: () => ["qperf"],
  can: ({ test, flows }) => flows === 1 && (test === "rr" || test === "stream"),
  pinsItself: false,
  servesOnce: false,
  server: ({ ports }) => ["qperf", "-lp", String(ports[0])],
  client: ({ workload, host, ports, seconds }) => {
    const { test, messageBytes, sendBytes } = workload;
    const size = isBulk(workload) ? sendBytes : messageBytes;
    const what = ["-t", String(seconds), ...(size === null ? [] : ["-m", String(size)]), "-uu", "-vv"];
    const where = [host, "-lp", String(ports[0]), "-ip", String(ports[1])];
    return { argv: ["qperf", ...where, ...what, test === "rr" ? "tcp_lat" : "tcp_bw"], copies: 1 };
  },
  read: (stdout, { workload, seconds }) => {
    if (isBulk(workload)) {
      const bytesPerSecond = numberAfter(/^\s*bw\s*=\s*([\d.]+)/m, stdout);
      return { rate: bytesPerSecond * 8, units: bytesPerSecond * seconds };
    }
    const units = numberAfter(/^\s*loc_send_msgs\s*=\s*([\d.]+)/m, stdout);
    return { rate: units / seconds, units };
  },
};
