import { describe, expect, it } from "vitest";
import { blockRefusal, checkResolvedSpec, resolveRunOptions, type RunOptions } from "../../../src/options/spec.js";
import { base, refusal, untyped } from "./refusal.js";

describe("resolveRunOptions", () => {
  it("fills in every default", () => {
    expect(resolveRunOptions(base)).toEqual({
      test: "tcp_rr",
      host: "127.0.0.1",
      port: 12865,
      family: "any",
      durationNs: 10e9,
      warmupNs: 1e9,
      intervalNs: 0,
      cpuAtPerSecond: 0,
      runs: null,
      untilCiPct: 0,
      flows: 1,
      threads: null,
      cpus: null,
      serverCpus: null,
      engine: "auto",
      requestBytes: 1,
      responseBytes: 1,
      burst: 0,
      best: false,
      coalesce: false,
      ...{ fastOpen: false, deferAccept: false },
      ratePerSecond: 0,
      spacing: "poisson",
      close: "server",
      sendSizeBytes: 131072,
      recvSizeBytes: 524288,
      rxLowatBytes: null,
      notsentLowatBytes: 0,
      bandwidthBitsPerSecond: 0,
      batch: 1,
      gso: false,
      gro: false,
      retryAfterNs: 1e9,
      zerocopy: "off",
      rx: "copy",
      sndbufBytes: 0,
      rcvbufBytes: 0,
      noDelay: true,
      congestion: "",
      mssBytes: 0,
      bind: [],
      localPorts: null,
      dataPort: 0,
    });
  });

  it.each([
    ["tcp_stream", false],
    ["tcp_maerts", false],
    ["tcp_rr", true],
    ["tcp_crr", true],
  ] as const)("has %s send with TCP_NODELAY %s unless told otherwise", (test, noDelay) => {
    expect(resolveRunOptions({ test, host: "h" }).noDelay).toBe(noDelay);
    expect(resolveRunOptions({ test, host: "h", noDelay: !noDelay }).noDelay).toBe(!noDelay);
  });

  it("takes natural types and strings alike", () => {
    const typed = resolveRunOptions({
      test: "tcp_crr",
      host: "[::1]",
      duration: 2.5,
      warmup: 0,
      flows: 4,
      cpus: [2, 3, 4, 5, 8],
      serverCpus: 7,
      request: 65536,
      noDelay: false,
      bind: ["::1"],
      localPorts: [20000, 29999],
    });
    const written = resolveRunOptions(
      untyped({
        test: "tcp_crr",
        host: "::1",
        duration: "2.5s",
        warmup: "0",
        flows: "4",
        cpus: "2-5,8",
        serverCpus: "7",
        request: "64K",
        noDelay: "off",
        bind: "[::1]",
        localPorts: "20000-29999",
      }),
    );
    expect(written).toEqual(typed);
  });

  it("is JSON-safe and shares nothing with its input or the table", () => {
    const cpus = [1, 2];
    const bind = ["127.0.0.1"];
    const spec = resolveRunOptions({ ...base, cpus, bind });
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    cpus.push(3);
    bind.push("127.0.0.2");
    expect([spec.cpus, spec.bind]).toEqual([[1, 2], ["127.0.0.1"]]);
    resolveRunOptions(base).bind.push("10.0.0.1");
    expect(resolveRunOptions(base).bind).toEqual([]);
  });

  it.each([
    [{ duration: 0 }, "duration: expected a time from 1ms to 168h such as 10s, 500ms or 1m30s, got 0"],
    [{ duration: "0" }, 'got "0"'],
    [{ duration: null }, "got null"],
    [{ warmup: -1 }, "warmup: expected"],
    [{ interval: "1ms" }, "interval: expected 0 or a time from 10ms"],
    [{ runs: 0 }, "runs: expected a whole number from 1 to 1000, got 0"],
    [{ untilCi: "2 percent" }, 'untilCi: expected 0 or a percentage from 0.1 to 50 such as 2%, got "2 percent"'],
    [{ untilCi: 0.05 }, "untilCi: expected 0 or a percentage"],
    [{ flows: 0 }, "flows: expected a whole number from 1 to 1000000, got 0"],
    [{ flows: 1_000_001 }, "flows: expected"],
    [{ flows: 1.5 }, "flows: expected"],
    [{ flows: Number.NaN }, "got NaN"],
    [
      { cpus: "1,1" },
      'cpus: expected a list of distinct CPU numbers from 0 to 8191 such as 2-5,8, numa:N or nic:INTERFACE, got "1,1"',
    ],
    [{ cpus: [] }, "got []"],
    [{ engine: "poll" }, 'engine: expected one of auto, block, epoll, spin, uring, got "poll"'],
    [{ request: "1KB" }, "request: expected a whole number of bytes from 1 to 64M"],
    [{ request: 0 }, "request: expected"],
    [{ noDelay: "maybe" }, "noDelay: expected on or off"],
    [{ congestion: "a b" }, "congestion: expected a name"],
    [{ mss: 40 }, "mss: expected 0 or a whole number from 88 to 32767, got 40"],
    [{ bind: "localhost" }, "bind: expected at most 64 distinct numeric addresses"],
    [{ bind: [1] }, "bind: expected"],
    [{ port: 0 }, "port: expected a whole number from 1 to 65535, got 0"],
    [{ family: "ipv5" }, "family: expected one of any, ipv4, ipv6"],
    [{ host: "" }, 'host: expected a host name or an address, got ""'],
    [{ host: "10.0.0.1:80" }, "the port is an option of its own"],
    [{ host: undefined }, "host: expected a host name or an address, got undefined"],
    [{ test: "udp" }, "test: expected one of tcp_stream, tcp_maerts, tcp_rr, tcp_crr, tcp_cc, udp_stream, udp_rr"],
    [{ test: "toString" }, "test: expected"],
    [{ flow: 1 }, "flow: unknown option; did you mean flows?"],
    [{ "--no-delay": "on" }, "did you mean noDelay?"],
    [
      { rate: "5/m" },
      'rate: expected 0 or a whole number per second from 1 to 1G such as 1000/s, k, M and G (1000) allowed, got "5/m"',
    ],
    [{ rate: 0.5 }, "got 0.5"],
    [{ rate: 2e9 }, "rate: expected"],
    [{ spacing: "even" }, "spacing: expected one of poisson, constant"],
    [
      { test: "tcp_stream", bandwidth: "10" },
      "bandwidth: expected 0 or a whole number of bits per second from 1k to 100T",
    ],
    [{ hasOwnProperty: 1 }, "hasOwnProperty: unknown option"],
  ])("refuses %j, naming the option, what was expected and what came", (options, message) => {
    const error = refusal(() => resolveRunOptions(untyped(options)));
    expect(error.code).toBe("ERR_INVALID_OPTION");
    expect(error.message).toContain(message);
    expect(error.message.startsWith(`${error.option}: `)).toBe(true);
  });

  it("keeps a message to one short line whatever came", () => {
    const { message } = refusal(() => resolveRunOptions(untyped({ cpus: `\n${"9".repeat(10_000)}` })));
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(250);
  });

  it("names the flag for callers on the command line", () => {
    const serverCpus = refusal(() => resolveRunOptions(untyped({ serverCpus: "x" }), "cli"));
    expect([serverCpus.option, serverCpus.message.split(":")[0]]).toEqual(["--server-cpus", "--server-cpus"]);
    expect(refusal(() => resolveRunOptions(untyped({ host: "a b" }), "cli")).option).toBe("HOST");
    expect(refusal(() => resolveRunOptions(untyped({ host: "::1", family: "ipv4" }), "cli")).option).toBe("-4, -6");
  });

  it.each([
    ["tcp_stream", { request: 1 }, "request: does not apply to tcp_stream, only to tcp_rr, tcp_crr and udp_rr"],
    ["tcp_rr", { close: "server" }, "close: does not apply to tcp_rr, only to tcp_crr and tcp_cc"],
    ["tcp_crr", { burst: 1 }, "burst: does not apply to tcp_crr, only to tcp_rr and udp_rr"],
    ["tcp_rr", { localPorts: "1-2" }, "localPorts: does not apply to tcp_rr, only to tcp_crr and tcp_cc"],
    ["tcp_cc", { request: 1 }, "request: does not apply to tcp_cc, only to tcp_rr, tcp_crr and udp_rr"],
    [
      "udp_rr",
      { noDelay: false },
      "noDelay: does not apply to udp_rr, only to tcp_stream, tcp_maerts, tcp_rr, tcp_crr and tcp_cc",
    ],
    ["tcp_stream", { gso: true }, "gso: does not apply to tcp_stream, only to udp_stream"],
    ["udp_stream", { zerocopy: "msg" }, "zerocopy: does not apply to udp_stream, only to tcp_stream and tcp_maerts"],
    ["tcp_maerts", { rate: "1k" }, "rate: does not apply to tcp_maerts, only to tcp_rr, tcp_crr, tcp_cc and udp_rr"],
    [
      "tcp_rr",
      { bandwidth: "1G" },
      "bandwidth: does not apply to tcp_rr, only to tcp_stream, tcp_maerts and udp_stream",
    ],
    ["tcp_rr", { zerocopy: "msg" }, "zerocopy: does not apply to tcp_rr, only to tcp_stream and tcp_maerts"],
  ])("refuses what does not apply to %s: %j", (test, options, message) => {
    expect(refusal(() => resolveRunOptions(untyped({ test, ...options }))).message).toBe(message);
  });

  it.each([
    [{ engine: "block", flows: 4, threads: 2 }, "threads: engine block runs one flow per thread, got 2 for 4 flows"],
    [{ engine: "block", flows: 1025 }, "flows: engine block runs at most 1024 flows, got 1025; use engine epoll"],
    [
      { engine: "block", burst: 2, request: "64K" },
      "burst: engine block keeps at most 128K in flight per flow, got 196608",
    ],
    [{ engine: "block", burst: 2, response: "64K" }, "burst: engine block"],
    [
      { test: "tcp_stream", engine: "uring", zerocopy: "sendfile" },
      "zerocopy: engine uring has no sendfile; use msg, or engine epoll or block",
    ],
    [
      { test: "tcp_stream", engine: "uring", rx: "zerocopy" },
      "rx: engine uring has no zero-copy receive, got zerocopy; use engine epoll or block",
    ],
    [{ coalesce: true }, "coalesce: joins the messages of a burst, and none was given"],
    [{ coalesce: true, burst: 3, rate: 7 }, "coalesce: requests of a rate are sent when they are due, never together"],
    [{ test: "tcp_stream", rxLowat: "1M" }, "rxLowat: expected at most the size of a receive (512K), got 1M"],
    [{ spacing: "constant" }, "spacing: constant says how a rate is spaced, and none was given"],
    [
      { test: "tcp_stream", flows: 200, bandwidth: "100k" },
      "bandwidth: expected at least 1000 bits per second for each of 200 flows, got 100000",
    ],
    [{ flows: 2, threads: 3 }, "threads: expected at most one per flow (2), got 3"],
    [{ duration: "168h", interval: "10ms" }, "interval: expected at most 1000000 intervals within all runs"],
    [{ duration: "1h", interval: "10ms", runs: 3 }, "interval: expected at most 1000000 intervals within all runs"],
    [{ untilCi: 2, runs: 2 }, "runs: expected at least 3 where they end with a narrow interval, got 2"],
    [{ host: "::1", family: "ipv4" }, "family: IPv4 was asked for, but ::1 is an IPv6 address"],
    [{ bind: "127.0.0.1,::1" }, "bind: expected addresses of one IP version"],
    [{ bind: "::1" }, "bind: expected IPv4 addresses as for the server, got ::1"],
    [{ host: "name", family: "ipv6", bind: "127.0.0.1" }, "bind: expected IPv6 addresses"],
    [
      { test: "tcp_crr", flows: 8, localPorts: "1000-1006" },
      "localPorts: expected at least one port per flow (8), got 7",
    ],
    [{ test: "udp_rr", engine: "uring" }, "engine: uring does not carry UDP; udp_rr runs with block, epoll or spin"],
    [{ test: "udp_stream", sendSize: "64K" }, "sendSize: expected at most 65507 bytes, which one datagram carries"],
    [{ test: "udp_rr", response: "64K" }, "response: expected at most 65507 bytes, which one datagram carries"],
    [{ test: "udp_rr", burst: 128, request: 100 }, "burst: expected at most 127 with messages of one byte"],
  ])("refuses %j together", (options, message) => {
    expect(refusal(() => resolveRunOptions(untyped(options))).message).toContain(message);
  });

  it("allows what only looks similar", () => {
    expect(resolveRunOptions({ ...base, engine: "block", flows: 1024, threads: 1024 }).threads).toBe(1024);
    expect(resolveRunOptions({ ...base, engine: "block", burst: 1, request: "64K" }).burst).toBe(1);
    expect(resolveRunOptions({ ...base, engine: "block", request: "1M" }).requestBytes).toBe(1 << 20);
    expect(resolveRunOptions({ ...base, engine: "epoll", burst: 2, request: "64K" }).burst).toBe(2);
    expect(resolveRunOptions({ ...base, engine: "uring", flows: 4, threads: 2 }).engine).toBe("uring");
    expect(resolveRunOptions({ ...base, test: "tcp_stream", engine: "spin", rx: "trunc" }).rx).toBe("trunc");
    expect(resolveRunOptions({ ...base, threads: undefined, interval: 0 }).threads).toBeNull();
    expect(resolveRunOptions({ ...base, rate: "10k/s", spacing: "constant", burst: 3 }).ratePerSecond).toBe(10_000);
    expect(resolveRunOptions({ ...base, burst: 3, coalesce: true }).coalesce).toBe(true);
    expect(resolveRunOptions({ ...base, test: "tcp_stream", recvSize: "1M", rxLowat: "1M" }).rxLowatBytes).toBe(
      1 << 20,
    );
    expect(resolveRunOptions({ ...base, test: "tcp_stream", rxLowat: "auto" }).rxLowatBytes).toBeNull();
    expect(resolveRunOptions({ ...base, test: "tcp_stream", rxLowat: 0 }).rxLowatBytes).toBe(0);
    expect(resolveRunOptions({ ...base, test: "tcp_crr", rate: 7 }).ratePerSecond).toBe(7);
    expect(resolveRunOptions({ ...base, test: "udp_rr", burst: 128, request: 2, response: 2 }).burst).toBe(128);
    expect(resolveRunOptions({ ...base, test: "udp_stream" }).sendSizeBytes).toBe(0);
    expect(resolveRunOptions({ ...base, test: "udp_stream", gso: true, sendSize: 1400 }).gso).toBe(true);
    expect(resolveRunOptions({ ...base, test: "tcp_maerts", bandwidth: "2.5G" }).bandwidthBitsPerSecond).toBe(2.5e9);
  });

  it("tells why block cannot carry a test that left the engine open", () => {
    expect(blockRefusal(resolveRunOptions({ ...base, flows: 4 }))).toBeNull();
    expect(blockRefusal(resolveRunOptions({ ...base, flows: 4, threads: 1 }))?.key).toBe("threads");
    expect(blockRefusal(resolveRunOptions({ ...base, flows: 2000 }))?.key).toBe("flows");
    expect(blockRefusal(resolveRunOptions({ ...base, burst: 255, request: 1024 }))?.key).toBe("burst");
  });
});

describe("checkResolvedSpec", () => {
  const specs: RunOptions[] = [
    base,
    { test: "udp_stream", host: "h", gso: true, batch: 8, bandwidth: "1G", sendSize: 1200 },
    { test: "udp_rr", host: "h", retryAfter: "50ms", burst: 3, rate: "1k" },
    {
      test: "tcp_crr",
      host: "::1",
      localPorts: "20000-29999",
      close: "reset",
      cpus: "1,0",
      bind: "::1",
      family: "ipv6",
    },
    {
      test: "tcp_stream",
      host: "server",
      duration: "123456789ns",
      warmup: 0,
      interval: "1s",
      zerocopy: "msg",
      mss: 1400,
      noDelay: true,
    },
    { ...base, rate: "250k", spacing: "constant" },
    { test: "tcp_maerts", host: "h", bandwidth: "1G", flows: 8 },
    { ...base, flows: 10_000, threads: 2, engine: "epoll", burst: 7, noDelay: false, congestion: "bbr", sndbuf: "4M" },
  ];

  it("gives back what was resolved, after a trip over the wire", () => {
    for (const options of specs) {
      const spec = resolveRunOptions(options);
      expect(checkResolvedSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    }
  });

  it("drops unknown fields and refuses missing, mistyped and out-of-range ones", () => {
    const spec = resolveRunOptions(base);
    expect(checkResolvedSpec({ ...spec, later: 1 })).toEqual(spec);
    for (const field of Object.keys(spec)) {
      const { [field]: _dropped, ...rest } = { ...spec } as Record<string, unknown>;
      expect(refusal(() => checkResolvedSpec(rest)).code).toBe("ERR_INVALID_OPTION");
      expect(refusal(() => checkResolvedSpec({ ...spec, [field]: { a: 1 } })).code).toBe("ERR_INVALID_OPTION");
    }
    expect(refusal(() => checkResolvedSpec({ ...spec, durationNs: 0 })).message).toContain("duration: expected");
    expect(refusal(() => checkResolvedSpec({ ...spec, durationNs: -1 })).option).toBe("duration");
    expect(refusal(() => checkResolvedSpec({ ...spec, flows: 1e9 })).option).toBe("flows");
    const undecided = { ...resolveRunOptions({ test: "tcp_stream", host: "h", sendSize: "auto" }) };
    expect(undecided.sendSizeBytes).toBe(0);
    expect(refusal(() => checkResolvedSpec(undecided)).option).toBe("sendSize");
    expect(
      checkResolvedSpec(resolveRunOptions({ test: "udp_stream", host: "h", sendSize: "auto" })).sendSizeBytes,
    ).toBe(0);
    expect(refusal(() => checkResolvedSpec({ ...spec, zerocopy: "msg" })).message).toContain(
      "does not apply to tcp_rr",
    );
    for (const nothing of [null, undefined, [], 1, "spec"])
      expect(refusal(() => checkResolvedSpec(nothing)).option).toBe("options");
  });
});
