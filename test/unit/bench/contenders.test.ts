import { describe, expect, it } from "vitest";
import { cnbLoad } from "../../../bench/peers/contenders/cnb-load.js";
import { PEERS } from "../../../bench/peers/contenders/index.js";
import { numberAfter } from "../../../bench/peers/contenders/parse.js";
import { totalCalls } from "../../../bench/peers/extras/syscalls.js";
import type { Contender, Setting, Workload } from "../../../bench/peers/model.js";
import { ROWS } from "../../../bench/peers/rows.js";

function setting(workload: Partial<Workload>, changes: Partial<Setting> = {}): Setting {
  return {
    workload: { test: "rr", flows: 1, messageBytes: 1, sendBytes: null, close: "server", ...workload },
    seconds: 2,
    host: "127.0.0.1",
    ports: [1001, 1002],
    cpus: { client: 0, server: 1 },
    cpuCount: 2,
    ours: [],
    best: false,
    ...changes,
  };
}

function peer(name: string): Contender {
  return PEERS.find((one) => one.name === name)!;
}

describe("what contenders print", () => {
  it("cnb-load: the receiver's figures", () => {
    const end = (received: number) => ({ bytesReceived: received, transactions: 7 });
    const result = { throughput: { bitsPerSecond: 8e9 }, totals: { local: end(1), remote: end(2e9) } };
    expect(cnbLoad.read(JSON.stringify(result), setting({ test: "stream" }))).toEqual({ rate: 8e9, units: 2e9 });
    expect(cnbLoad.read(JSON.stringify(result), setting({ test: "maerts" }))).toEqual({ rate: 8e9, units: 1 });
    const rr = { transactions: { perSecond: 5 }, totals: { local: end(0) } };
    expect(cnbLoad.read(JSON.stringify(rr), setting({}))).toEqual({ rate: 5, units: 7 });
    expect(() => cnbLoad.read("{}", setting({}))).toThrow();
    expect(() => cnbLoad.read("oops", setting({}))).toThrow(/no JSON.*oops/);
  });

  it("netperf: the sum of all processes, and none missing", () => {
    const output = "THROUGHPUT=100.5\nELAPSED_TIME=2.00\nTHROUGHPUT=99.5\nELAPSED_TIME=2.00\n";
    expect(peer("netperf").read(output, setting({ flows: 2 }))).toEqual({ rate: 200, units: 400 });
    expect(peer("netperf").read(output, setting({ test: "stream", flows: 2 }))).toEqual({ rate: 200e6, units: 50e6 });
    expect(() => peer("netperf").read(output, setting({ flows: 3 }))).toThrow("2 of 3");
  });

  it("bare loop: units, seconds and CPU seconds", () => {
    expect(peer("bare loop").read("3000 1.500000 1.2\n", setting({}))).toEqual({ rate: 2000, units: 3000 });
    expect(peer("bare loop").read("3000 1.5 1.2\n", setting({ test: "stream" }))).toEqual({ rate: 16000, units: 3000 });
    expect(() => peer("bare loop").read("", setting({}))).toThrow();
  });

  it("neper: the receiving end's figure", () => {
    const output = "num_transactions=46926\nthroughput=1\nlocal_throughput=46919\nremote_throughput=46902\n";
    expect(peer("neper").read(output, setting({}))).toEqual({ rate: 46919, units: 46926 });
    expect(peer("neper").read(output, setting({ test: "stream" }))).toEqual({ rate: 46902, units: 46902 / 4 });
    expect(peer("neper").read(output, setting({ test: "maerts" })).rate).toBe(46919);
  });

  it("iperf3, sockperf and qperf", () => {
    const report = { end: { sum_received: { bits_per_second: 4e9, bytes: 1e9 } } };
    expect(peer("iperf3").read(JSON.stringify(report), setting({ test: "stream" }))).toEqual({ rate: 4e9, units: 1e9 });
    expect(() => peer("iperf3").read('{"error":"busy"}', setting({ test: "stream" }))).toThrow("busy");
    const sockperf = `sockperf: [Total Run] RunTime=1.000 sec; Warm up time=400 msec; SentMessages=37111; ReceivedMessages=37110
sockperf: [Valid Duration] RunTime=0.550 sec; SentMessages=22000; ReceivedMessages=22000`;
    expect(peer("sockperf").read(sockperf, setting({ messageBytes: 14 })).rate).toBeCloseTo(40_000);
    expect(peer("sockperf").read(sockperf, setting({ messageBytes: 14 })).units).toBe(37110);
    const latency = "tcp_lat:\n    latency          =       12035 ns\n    loc_send_msgs    =       41546 \n";
    expect(peer("qperf").read(latency, setting({}))).toEqual({ rate: 20773, units: 41546 });
    expect(
      peer("qperf").read("tcp_bw:\n    bw        =  815529984 bytes/sec\n", setting({ test: "stream" })).rate,
    ).toBe(815529984 * 8);
  });

  it("say what came where a figure is missing", () => {
    expect(() => numberAfter(/rate=(\d+)/, "cannot connect\n")).toThrow("cannot connect");
    expect(() => numberAfter(/rate=(\d+)/, "")).toThrow("nothing");
  });

  it("strace: the total of calls, with or without errors", () => {
    const head = "% time     seconds  usecs/call     calls    errors syscall\n";
    expect(totalCalls(`${head}100.00    0.012345           2      6172        17 total\n`)).toBe(6172);
    expect(totalCalls(`${head}100.00    0.012345           2      6172           total\n`)).toBe(6172);
    expect(() => totalCalls("")).toThrow("no table");
  });
});

describe("rows", () => {
  it("have ids of their own", () => {
    const ids = ROWS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("name peers that exist and can do what the row asks", () => {
    for (const { id, peers, workload } of ROWS) {
      for (const name of peers) expect(peer(name).can(workload), `${name} in ${id}`).toBe(true);
    }
  });

  it("give every contender the same size, count and place", () => {
    const bulk = setting({ test: "stream", flows: 32, sendBytes: 16384 });
    expect(cnbLoad.client(bulk).argv.join(" ")).toMatch(/--flows 32 --send-size 16384 --cpus 0 --server-cpus 1/);
    expect(peer("netperf").client(bulk)).toMatchObject({ copies: 32 });
    expect(peer("netperf").client(bulk).argv.join(" ")).toContain("-m 16384");
    expect(peer("iperf3").client(bulk).argv.join(" ")).toMatch(/-P 32 .*-l 16384/);
    expect(peer("neper").client(bulk).argv.join(" ")).toMatch(/-F 32 -T 1 -B 16384/);
    expect(
      peer("neper")
        .client({ ...bulk, cpus: null })
        .argv.join(" "),
    ).toMatch(/-T 2/);
    const datagrams = setting({ test: "udp-stream", sendBytes: 1472 });
    expect(cnbLoad.client(datagrams).argv.join(" ")).toMatch(/udp-stream .*--send-size 1472/);
    expect(peer("netperf").client(datagrams).argv.join(" ")).toMatch(/-t UDP_STREAM .*-m 1472 -R 1/);
    expect(peer("iperf3").client(datagrams).argv.join(" ")).toMatch(/-l 1472 -u -b 0/);
    const messages = setting({ test: "udp-rr", messageBytes: 14 });
    expect(cnbLoad.client(messages).argv.join(" ")).toMatch(/udp-rr .*--request 14 --response 14/);
    expect(peer("netperf").client(messages).argv.join(" ")).toMatch(/-t UDP_RR .*-r 14,14/);
    expect(peer("sockperf").client(messages).argv.join(" ")).not.toContain("--tcp");
    expect(
      peer("sockperf")
        .client(setting({ messageBytes: 14 }))
        .argv.join(" "),
    ).toContain("--tcp");
    const defaults = setting({ test: "maerts" });
    for (const one of [cnbLoad, peer("netperf"), peer("iperf3"), peer("neper")]) {
      expect(one.client(defaults).argv.join(" "), one.name).not.toMatch(/--send-size|-m |-M \d|-l 1\d+|-B /);
    }
  });
});
