/** Every test over veth, held against what the kernel counted. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { type Agreement, checkAgreement, checkResult, kernelCounts } from "./invariants.js";
import { Lab } from "./lab.js";

// Long enough that one retransmission time-out, which a busy machine brings about, leaves something to measure.
const SHORT = ["--duration", "1s", "--warmup", "200ms"];

describeIf(rootAndNetns())("over veth", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  async function compare(command: string, args: readonly string[]): Promise<[Result, Agreement]> {
    const before = kernelCounts(lab.network);
    const result = await lab.measure(command, ...SHORT, ...args);
    const after = kernelCounts(lab.network);
    const family = args.includes("-6") ? "ipv6" : "ipv4";
    return [result, { before, after, family }];
  }

  async function verify(command: string, ...args: string[]): Promise<Result> {
    const [result, agreement] = await compare(command, args);
    checkResult(result);
    checkAgreement(result, agreement);
    return result;
  }

  // Each command meets every pair of engine, number of flows and IP version.
  const shapes = [
    ["block", "1", "-4"],
    ["block", "32", "-6"],
    ["epoll", "1", "-6"],
    ["epoll", "32", "-4"],
  ] as const;
  const cases = ["stream", "maerts", "rr", "crr", "cc"].flatMap((command) =>
    shapes.map((shape) => [command, ...shape] as const),
  );

  it.each(cases)("%s with engine %s and %s flow(s) agrees with the kernel (%s)", async (command, engine, flows, ip) => {
    const sizes = command.endsWith("rr") ? ["--request", "1000", "--response", "4000"] : [];
    const result = await verify(command, "--engine", engine, "--flows", flows, ip, "-i", "100ms", ...sizes);
    expect(result).toMatchObject({ test: `tcp_${command}`, engine: { local: engine, remote: engine } });
    expect(result.intervals.length).toBeGreaterThan(1);
    expect(result.spec).toMatchObject({ family: ip === "-4" ? "ipv4" : "ipv6", flows: Number(flows) });
    // A loaded host may starve a flow for so short a window, but not most of them.
    const idle = result.flows.filter(({ bytes, transactions }) => (bytes ?? transactions) === 0);
    expect(idle.length).toBeLessThan(Number(flows) / 2);
  });

  it.each([
    ["stream", ["--rx", "trunc"]],
    ["maerts", ["--rx", "trunc", "--engine", "uring", "-P", "3", "-6"]],
    ["stream", ["--zerocopy", "sendfile"]],
    ["stream", ["--zerocopy", "sendfile", "--engine", "epoll", "-P", "3", "-6"]],
    ["stream", ["--send-size", "64", "--recv-size", "999"]],
    ["stream", ["--send-size", "4M", "--sndbuf", "64K", "--rcvbuf", "64K"]],
    ["stream", ["--mss", "500", "--no-delay", "off", "--congestion", "reno"]],
    ["maerts", ["--rx", "trunc", "--zerocopy", "sendfile", "-6"]],
    ["rr", ["--burst", "15", "--request", "100", "--response", "200"]],
    ["rr", ["--burst", "15", "--request", "64K", "--response", "1", "--engine", "epoll", "-P", "3"]],
    ["rr", ["--request", "1M", "--response", "1M", "--no-delay", "off"]],
    ["crr", ["--close", "client", "--request", "100", "--response", "20K"]],
    ["cc", ["--close", "client", "--engine", "epoll", "-P", "5"]],
    ["cc", ["--close", "reset", "--engine", "uring", "-P", "3"]],
    ["cc", ["--rate", "500/s", "--engine", "spin", "-P", "2", "-6"]],
    ["crr", ["--close", "reset", "-6", "--engine", "epoll", "-P", "5", "--request", "1000", "--response", "1000"]],
  ])("%s %j agrees with the kernel, too", async (command, args) => {
    await verify(command, ...args);
  });

  it.each([
    ["stream", ["-6"]],
    ["maerts", ["--engine", "epoll", "-P", "4"]],
    ["maerts", ["--engine", "uring", "-P", "4"]],
  ])("%s --zerocopy msg %j says what became of its bytes", async (command, args) => {
    const { zerocopy, throughput } = await verify(command, "--zerocopy", "msg", ...args);
    expect(zerocopy?.requestedBytes).toBe(throughput?.sender?.bytes);
    const { zeroCopiedBytes = 0, copiedBytes = 0 } = zerocopy ?? {};
    // veth copies what stays on this host; what completed within the window may have been sent before it.
    expect(zeroCopiedBytes + copiedBytes).toBeGreaterThan(0);
  });

  it.each([
    ["stream", ["--mss", "4108"]],
    ["stream", ["--engine", "epoll", "-P", "4", "-6"]],
    ["maerts", ["--engine", "spin", "--recv-size", "1M", "--rx-lowat", "256K"]],
  ])("%s --rx zerocopy %j maps what came in pages of its own", async (command, args) => {
    // veth copies what was sent with MSG_ZEROCOPY, into single pages.
    const { rxZerocopy, throughput } = await verify(command, "--rx", "zerocopy", "--zerocopy", "msg", ...args);
    const { mappedBytes = 0, copiedBytes = 0 } = rxZerocopy ?? {};
    expect(mappedBytes).toBeGreaterThan(0);
    expect(mappedBytes + copiedBytes).toBe(throughput?.bytes);
  });

  it("says that --rx zerocopy had to copy, and why", async () => {
    const { rxZerocopy, warnings } = await verify("stream", "--rx", "zerocopy", "--mss", "1000", "--send-size", "1000");
    expect(rxZerocopy?.copiedBytes).toBeGreaterThan(rxZerocopy?.mappedBytes ?? 0);
    expect(warnings.map(({ code }) => code)).toContain("RX_ZEROCOPY_COPIED");
  });

  it("sets the options that it was asked for on both ends", async () => {
    const options = ["--sndbuf", "100000", "--rcvbuf", "90000", "--mss", "800", "--congestion", "reno"];
    const { socket } = await verify("stream", ...options, "--notsent-lowat", "60000");
    expect(socket.local.notsentLowatBytes).toBe(60_000);
    expect(socket.remote?.notsentLowatBytes).toBe(0);
    for (const end of [socket.local, socket.remote]) {
      // The kernel doubles what it is asked for: socket(7).
      expect(end).toMatchObject({ sndbufBytes: 200_000, rcvbufBytes: 180_000, congestion: "reno" });
      expect(end?.mssBytes).toBeLessThanOrEqual(800);
    }
  });

  it("comes from the addresses that it was told, in turn", async () => {
    const bind = lab.network.client.ipv4.slice(1);
    await using client = lab.client("rr", "--bind", bind.join(), "-P", "4", "-l", "10m", "--warmup", "0", "-i", "50ms");
    await client.saying("stderr", / s {2}/);
    const peers = lab.network.server
      .sockets()
      .filter((line) => line.startsWith("ESTAB"))
      .map((line) => /(\S+):\d+\s*$/.exec(line)?.[1]?.replace(/^\[::ffff:(.*)\]$/, "$1"));
    // Two flows on each address, and the control connection on the first.
    expect(peers.sort()).toEqual([bind[0], bind[0], bind[0], bind[1], bind[1]]);
    client.child.kill("SIGINT");
    expect((await client.finished).code).toBe(130);
    for (const args of [[], ["-P", "5", "--engine", "epoll"], ["--close", "client"]]) {
      await verify("crr", "--bind", bind.join(), ...args);
    }
    await verify("crr", "-6", "--bind", lab.network.client.ipv6.join());
  });

  it("uses the data port that it was told, again and again", async () => {
    for (const command of ["rr", "crr", "crr"]) {
      const { spec } = await verify(command, "--data-port", "5201", "-P", "2", "--engine", "epoll");
      expect(spec.dataPort).toBe(5201);
    }
  });
});
