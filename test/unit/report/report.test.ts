import { describe, expect, it } from "vitest";
import { renderJson, renderResultsJson } from "../../../src/report/json.js";
import { headline, renderInterval, renderOverview, renderSummary } from "../../../src/report/summary.js";
import { renderText, renderWarnings } from "../../../src/report/text.js";
import { resolveRunOptions } from "../../../src/options/spec.js";
import type { Result } from "../../../src/result/model.js";
import * as samples from "./samples.js";

const all = Object.entries(samples);

describe("the table of a result", () => {
  it.each(all)("of %s is as in its golden file", async (name, result) => {
    await expect(renderText(result)).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it.each(all)("of %s shows nothing that is no figure and stays within a terminal", (_, result) => {
    const text = renderText(result);
    expect(text).not.toMatch(/undefined|NaN|Infinity|null|\[object/);
    expect(text.endsWith("\n") && !text.endsWith("\n\n")).toBe(true);
    for (const line of text.split("\n")) {
      expect(line.length).toBeLessThanOrEqual(140);
      expect(line).toBe(line.trimEnd());
    }
  });

  it("of datagrams is as in its golden file", async () => {
    const { zerocopy: _zerocopy, tcpInfo: _tcp, ...stream } = samples.stream;
    const udp: Result = {
      ...stream,
      test: "udp_stream",
      spec: resolveRunOptions({ test: "udp_stream", host: "10.0.0.2", gso: true, batch: 8, bandwidth: "1G" }),
      datagrams: {
        sizeBytes: 1472,
        sent: 849_184,
        sentPerSecond: 84_918.4,
        received: 838_700,
        receivedPerSecond: 83_870,
        lost: 10_484,
        lostPct: 1.2346,
        refused: 3,
        receiverDrops: 10_480,
      },
      flows: [{ bytes: 1_234_567_901, datagrams: { sent: 849_184, lost: 10_484 } }],
      socket: { local: { sndbufBytes: 212_992, rcvbufBytes: 212_992, congestion: "", mssBytes: 1472 } },
    };
    await expect(renderText(udp)).toMatchFileSnapshot("golden/udp.txt");
  });

  it("tells what pace was asked for, and how it was kept", () => {
    const rate = { ...samples.rr.spec, ratePerSecond: 2000, burst: 1 };
    const paced = renderText({ ...samples.rr, spec: rate, openLoop: { backlog: 1234 } });
    expect(paced).toContain(" at most 2 in flight per flow,");
    expect(paced).toContain("\n  open loop       2 k/s asked for (poisson), 1,234 due and not yet sent at the end\n");
    const bandwidth = { ...samples.stream.spec, bandwidthBitsPerSecond: 100e6 };
    expect(renderText({ ...samples.stream, spec: bandwidth })).toContain(
      " receive copy, paced to 100 Mbit/s, warm-up 1s\n",
    );
  });

  it("tells what was mapped, and what waits to be sent at most", () => {
    const spec = { ...samples.stream.spec, rx: "zerocopy", notsentLowatBytes: 128 * 1024 } as const;
    const text = renderText({
      ...samples.stream,
      spec,
      rxZerocopy: { mappedBytes: 3 * 2 ** 30, copiedBytes: 2 ** 20 },
    });
    expect(text).toContain("\n  zero-copy rx    3 GiB mapped, 1 MiB copied after all\n");
    expect(text).toMatch(/send size \S+ KiB \(while less than 128 KiB wait to be sent\), .* receive zerocopy,/);
  });

  it("leaves the warnings out where they are not wanted", () => {
    expect(renderText(samples.rr)).toContain("warning SAME_HOST: ");
    expect(renderText(samples.rr, { warnings: false })).not.toContain("SAME_HOST");
    expect(renderText(samples.rr)).toContain(renderWarnings(samples.rr.warnings));
    expect(renderWarnings([])).toBe("");
  });

  it("does not hide figures that are zero", () => {
    const workers = { ...samples.rr.workers, local: { count: 1, cpus: [0], busyCores: 0 } };
    expect(renderText({ ...samples.rr, workers })).toMatch(/^ {2}client +1\.60 .* 0\.80 +0\.00$/m);
  });
});

describe("one line", () => {
  it("sums up a result", () => {
    expect(renderSummary(samples.rr)).toBe("tcp_rr, 1 flow: 45.68 k/s, p50 21.50 us, p99 107.5 us");
    expect(renderSummary(samples.stream)).toBe("tcp_stream, 2 flows: 9.412 Gbit/s");
    expect(renderSummary(samples.failed)).toBe("tcp_maerts, 32 flows: 123.5 Mbit/s (failed)");
  });

  it("says whose figure it is when the receiver's is unknown", () => {
    expect(headline(samples.aborted)).toBe("500 Mbit/s sent");
    expect(headline({})).toBe("no figure");
  });

  it("tells an interval", () => {
    expect(samples.rr.intervals.map(renderInterval)).toEqual(["      0.0-1.0 s  45 k/s, p50 21.50 us, p99 107.5 us"]);
  });
});

describe("several results", () => {
  it("make one table as in its golden file", async () => {
    await expect(renderOverview(all.map(([, result]) => result))).toMatchFileSnapshot("golden/overview.txt");
  });
});

describe("JSON", () => {
  it("is one document that holds all of the result and ends with a newline", () => {
    for (const [, result] of all) {
      expect(JSON.parse(renderJson(result))).toEqual(result);
      expect(renderJson(result).endsWith("}\n")).toBe(true);
    }
    const results = [samples.rr, samples.crr];
    expect(JSON.parse(renderResultsJson(results))).toEqual({ schema: "cnb-load/results/1", results });
  });
});
