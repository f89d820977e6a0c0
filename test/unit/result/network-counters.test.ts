import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { networkUse, parseNetDev, parseSoftnet, parseTcpCounters } from "../../../src/result/network-counters.js";

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 943387583818 251839871    1    2    0     0          0         0 943387583817 251839870    3    4    0     0       0          0
eth0.7:1587389408   65225    0    0    0     0          0         0  7104111   56859    0    0    0     0       0          0
`;
const SNMP = `Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 6185299 6157941 27045 557548 0 251903698 255132433 19307 0 323084 0
`;
const NETSTAT = `TcpExt: SyncookiesSent ListenOverflows ListenDrops TCPTimeouts
TcpExt: 0 5 6 7
IpExt: InNoRoutes
IpExt: 0
`;

describe("parseNetDev", () => {
  it("reads every interface, with or without a blank after the colon", () => {
    const interfaces = parseNetDev(NET_DEV);
    expect([...interfaces.keys()]).toEqual(["lo", "eth0.7"]);
    expect(interfaces.get("lo")).toEqual({
      ...{ rxBytes: 943387583818, rxPackets: 251839871, rxErrors: 1, rxDropped: 2 },
      ...{ txBytes: 943387583817, txPackets: 251839870, txErrors: 3, txDropped: 4 },
    });
    expect(interfaces.get("eth0.7")).toMatchObject({ rxBytes: 1587389408, txPackets: 56859 });
  });
});

describe("parseSoftnet", () => {
  it("adds up the CPUs, hexadecimal", () => {
    const line = (columns: string) =>
      `${columns} 00000000 00000000 00000000 00000000 00000000 00000000 00000003 00000000\n`;
    expect(parseSoftnet(line("0795efdc 00000001 00000098") + line("00000010 00000001 00000002"))).toEqual({
      ...{ processed: 0x0795efdc + 16, dropped: 2, timeSqueezed: 0x9a, receivedRps: 6 },
    });
  });
});

describe("parseTcpCounters", () => {
  it("finds columns by their names", () => {
    expect(parseTcpCounters(SNMP, NETSTAT)).toEqual({
      ...{ activeOpens: 6185299, passiveOpens: 6157941, inSegments: 251903698, outSegments: 255132433 },
      ...{
        retransmittedSegments: 19307,
        timeouts: 7,
        listenOverflows: 5,
        listenDrops: 6,
        fastOpensActive: 0,
        fastOpensPassive: 0,
      },
    });
    expect(parseTcpCounters(SNMP, undefined)).toMatchObject({ activeOpens: 6185299, listenDrops: 0 });
    expect(parseTcpCounters(undefined, NETSTAT)).toBeUndefined();
  });
});

describe("networkUse", () => {
  const sample = (dev: string, softnet: string, snmp: string) => ({
    interfaces: parseNetDev(dev),
    softnet: parseSoftnet(softnet),
    tcp: parseTcpCounters(snmp, NETSTAT),
  });

  it("is what grew, across the end of softnet's 32 bits, too", () => {
    const before = sample(NET_DEV, "fffffff0 00000000 00000000\n00000005 00000000 00000000\n", SNMP);
    const after = sample(
      NET_DEV.replace("943387583818", "943387583918"),
      "00000010 00000000 00000001\n00000006 00000000 00000000\n",
      SNMP.replace("6157941", "6157951"),
    );
    const use = networkUse(before, after, "lo");
    expect(use?.interface).toMatchObject({ rxBytes: 100, txBytes: 0 });
    expect(use?.softnet).toEqual({ processed: 33, dropped: 0, timeSqueezed: 1, receivedRps: 0 });
    expect(use?.tcp).toMatchObject({ passiveOpens: 10, activeOpens: 0 });
  });

  it("leaves out what is unknown", () => {
    const empty = sample("", "", "");
    expect(networkUse(empty, empty, "lo")).toBeUndefined();
    const full = sample(NET_DEV, "00000001 00000000 00000000\n", SNMP);
    expect(networkUse(full, full, "eth9")).not.toHaveProperty("interface");
    expect(networkUse(full, full, undefined)).not.toHaveProperty("interface");
    expect(networkUse(empty, full, "lo")).toBeUndefined();
  });

  it("is never negative, fractional or infinite, whatever the files hold", () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(NET_DEV, SNMP, NETSTAT, "ffffffff ffffffff ffffffff\n"));
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 6, maxLength: 6 }),
        ([a = "", b = "", c = "", d = "", e = "", f = ""]) => {
          const use = networkUse(sample(a, b, c), sample(d, e, f), "lo");
          for (const counters of Object.values(use ?? {})) {
            for (const value of Object.values(counters)) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
          }
        },
      ),
    );
  });
});
