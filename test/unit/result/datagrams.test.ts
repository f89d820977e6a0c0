import { describe, expect, it } from "vitest";
import type { TestName } from "../../../src/options/spec.js";
import { buildResult } from "../../../src/result/build.js";
import { flowColumns } from "../../../src/result/flows.js";
import type { Warning } from "../../../src/result/model.js";
import { parseUdpCounters } from "../../../src/result/network-counters.js";
import type { EndReport, FlowDatagrams, LocalEnd } from "../../../src/result/raw.js";
import { summarizeRuns } from "../../../src/result/repeat.js";
import { deriveWarnings } from "../../../src/result/warnings.js";
import { counters, flow, histogram, rawRun } from "./fixtures.js";

const NONE: FlowDatagrams = { sent: 0, received: 0, marked: 0, lost: 0, late: 0, refused: 0 };
const seen = (changes: Partial<FlowDatagrams>, dropped = 0) => ({ ...NONE, ...changes, dropped });
const UDP_SOCKET = { sndbufBytes: 212_992, rcvbufBytes: 212_992, congestion: "", mssBytes: 1472 };

/** 1000 datagrams of 1400 bytes in the window, of 1200 in all, on two flows. */
function stream(remote: Partial<EndReport> = {}) {
  const counted = counters({ bytesSent: 1000 * 1400, datagrams: seen({ sent: 1000, refused: 2 }) });
  const local: Partial<LocalEnd> = {
    counters: counted,
    total: counters({ bytesSent: 1200 * 1400, datagrams: seen({ sent: 1200, refused: 2 }) }),
    flows: flowColumns([
      flow({ datagrams: { ...NONE, sent: 600 } }),
      flow({ datagrams: { ...NONE, sent: 400, refused: 2 }, cpu: 1 }),
    ]),
    socket: UDP_SOCKET,
  };
  const arrived = counters({ bytesReceived: 1010 * 1400, datagrams: seen({ received: 1010, marked: 950 }, 30) });
  const flows = flowColumns([
    flow({ datagrams: { ...NONE, received: 560, marked: 550 } }),
    flow({ datagrams: { ...NONE, received: 450, marked: 400 } }),
  ]);
  return rawRun("udp_stream", local, { counters: arrived, total: arrived, flows, socket: UDP_SOCKET, ...remote });
}

function requests(figures: Partial<FlowDatagrams>) {
  const counted = counters({ transactions: 2, datagrams: seen(figures) });
  return rawRun(
    "udp_rr",
    { counters: counted, total: counted, latency: histogram([1000, 2000]), socket: UDP_SOCKET },
    { counters: counters({ datagrams: seen({}) }), socket: UDP_SOCKET },
  );
}

describe("datagrams of a result", () => {
  it("lose what was sent within the window and never came, whenever the others did", () => {
    const result = buildResult(stream());
    expect(result.datagrams).toEqual({
      sizeBytes: 1400,
      sent: 1000,
      sentPerSecond: 100,
      received: 1010,
      receivedPerSecond: 101,
      lost: 50,
      lostPct: 5,
      refused: 2,
      receiverDrops: 30,
    });
    expect(result.flows.map(({ datagrams }) => datagrams)).toEqual([
      { sent: 600, lost: 50 },
      { sent: 400, lost: 0 },
    ]);
    expect(result.throughput).toMatchObject({ bytes: 1010 * 1400, sender: { bytes: 1000 * 1400 } });
  });

  it("lose nothing where the network made two of one, and nothing is known without the receiver", () => {
    const twice = counters({ datagrams: seen({ received: 1100, marked: 1001 }) });
    expect(buildResult(stream({ counters: twice })).datagrams).toMatchObject({ lost: 0, lostPct: 0 });
    const { remote: _remote, ...alone } = stream();
    const { datagrams } = buildResult({ ...alone, state: "aborted" });
    expect(datagrams).toEqual({ sizeBytes: 1400, sent: 1000, sentPerSecond: 100, refused: 2 });
  });

  it("are requests given up in UDP_RR", () => {
    const { datagrams } = buildResult(requests({ sent: 5, lost: 2, late: 1 }));
    expect(datagrams).toEqual({
      sent: 5,
      sentPerSecond: 0.5,
      lost: 2,
      lostPct: 40,
      late: 1,
      refused: 0,
      receiverDrops: 0,
    });
  });

  it("are no part of a result over TCP", () => {
    const result = buildResult(rawRun("tcp_rr"));
    expect(result).not.toHaveProperty("datagrams");
    expect(result.totals.local).not.toHaveProperty("datagrams");
  });

  it("of several runs are added up, rates are means", async () => {
    const one = buildResult(stream());
    const { datagrams, totals, flows } = await summarizeRuns([one, one]);
    expect(datagrams).toMatchObject({ sent: 2000, sentPerSecond: 100, lost: 100, lostPct: 5, sizeBytes: 1400 });
    expect(totals.local.datagrams?.sent).toBe(2400);
    expect(flows[0]?.datagrams).toEqual({ sent: 1200, lost: 100 });
  });
});

describe("warnings of datagrams", () => {
  const find = (warnings: readonly Warning[], code: string) => warnings.find((warning) => warning.code === code);

  it("name the size that fits a packet", () => {
    const raw = stream();
    expect(find(deriveWarnings(raw), "DATAGRAMS_FRAGMENTED")).toBeUndefined();
    const small = { ...raw, local: { ...raw.local, socket: { ...UDP_SOCKET, mssBytes: 1300 } } };
    expect(find(deriveWarnings(small), "DATAGRAMS_FRAGMENTED")?.advice).toContain("--send-size 1300");
    const rr = requests({});
    const large = { ...rr, spec: { ...rr.spec, responseBytes: 4000 } };
    expect(find(deriveWarnings(large), "DATAGRAMS_FRAGMENTED")?.advice).toContain("--response 1472");
  });

  it("tell drops at the receiver from those at the sender", () => {
    const raw = stream();
    const drops = find(deriveWarnings(raw), "RECEIVER_DROPS");
    expect(drops?.message).toContain("dropped 30 packets");
    expect(drops?.advice).toMatch(/--rcvbuf.*--gro, --batch 32, less --bandwidth/);
    expect(find(deriveWarnings(raw), "SENDER_DROPS")).toBeUndefined();
    const udp = {
      inDatagrams: 0,
      outDatagrams: 9,
      noPorts: 0,
      inErrors: 0,
      receiveBufferErrors: 0,
      sendBufferErrors: 7,
    };
    const queued = { ...raw, local: { ...raw.local, network: { udp } } };
    expect(find(deriveWarnings(queued), "SENDER_DROPS")?.message).toContain("dropped 7 datagrams");
  });

  it("say whether lost requests were answered after all", () => {
    expect(find(deriveWarnings(requests({ sent: 3 })), "REQUESTS_LOST")).toBeUndefined();
    const gone = find(deriveWarnings(requests({ sent: 200, lost: 1 })), "REQUESTS_LOST");
    expect(gone?.message).toContain("1 of 200 requests (0.50 %) had no answer within 1000 ms");
    expect(gone?.advice).toContain("Look for drops");
    const late = find(deriveWarnings(requests({ sent: 200, lost: 10, late: 9 })), "REQUESTS_LOST");
    expect(late?.message).toContain("9 answers came after that");
    expect(late?.advice).toContain("longer --retry-after");
  });

  it.each<TestName>(["tcp_rr", "tcp_stream"])("are none of %s", (test) => {
    const codes = deriveWarnings(rawRun(test)).map(({ code }) => code);
    expect(codes.filter((code) => /DATAGRAMS|DROPS|REQUESTS/.test(code))).toEqual([]);
  });
});

describe("UDP's counters", () => {
  const SNMP = "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdp: 10 1 4 20 3 2\n";

  it("are those of both IP versions", () => {
    const snmp6 =
      "Ip6InReceives 7\nUdp6InDatagrams                 \t100\nUdp6OutDatagrams 200\nUdpLite6InDatagrams 5\n";
    expect(parseUdpCounters(SNMP, snmp6)).toEqual({
      inDatagrams: 110,
      outDatagrams: 220,
      noPorts: 1,
      inErrors: 4,
      receiveBufferErrors: 3,
      sendBufferErrors: 2,
    });
  });

  it("do without IPv6, and are none where nothing can be read", () => {
    expect(parseUdpCounters(SNMP, undefined)?.inDatagrams).toBe(10);
    expect(parseUdpCounters(undefined, undefined)).toBeUndefined();
  });
});
