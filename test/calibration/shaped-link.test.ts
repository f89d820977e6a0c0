/** Goodput over a link of known rate: token buckets on a veth, and TCP's own pacing. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import { checkResult } from "../integration/invariants.js";
import { Lab } from "../integration/lab.js";
import { DEVICE, type Namespace } from "../support/netns.js";
import type { Program } from "../support/program.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { keepAwake } from "./awake.js";
import { undisturbed } from "./undisturbed.js";

const MBIT = 1e6;
const MTU = 1500;
const ETHERNET = 14;
/** IPv4 and TCP with timestamps. */
const HEADERS = 20 + 20 + 12;
/**
 * What a token bucket leaves for payload. It counts a frame from its Ethernet header on, and of a segment that hardware has yet to cut up
 * the headers of all its parts (qdisc_pkt_len_init in net/core/dev.c).
 */
const PAYLOAD_SHARE = (MTU - HEADERS) / (MTU + ETHERNET);
const WITHIN = 0.01;

const commands = ["stream", "maerts"];
const rates = [100 * MBIT, 1000 * MBIT];
const cases = rates.flatMap((rate) =>
  commands.flatMap((command) => ["1", "8"].map((flows) => [command, flows, rate / MBIT, rate])),
) as [string, string, number, number][];

describeIf(rootAndNetns())("over a veth", () => {
  let lab: Lab;
  let hosts: Namespace[];
  let awake: Program;
  beforeAll(async () => {
    awake = await keepAwake();
    lab = await Lab.start();
    hosts = [lab.network.server, lab.network.client];
    for (const host of hosts) host.sysctl("net.ipv4.tcp_timestamps", "1");
  });
  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
    await awake[Symbol.asyncDispose]();
  });

  async function measure(command: string, ...args: string[]): Promise<Result> {
    // BBR looks for a rate of its own.
    const result = await undisturbed(() => lab.measure(command, "--congestion", "cubic", ...args));
    checkResult(result);
    for (const { tcpInfo } of result.flows) expect(tcpInfo?.mssBytes).toBe(MTU - HEADERS);
    return result;
  }

  function expectGoodput({ throughput }: Result, expected: number): void {
    const bitsPerSecond = throughput?.bitsPerSecond ?? 0;
    expect(Math.abs(bitsPerSecond / expected - 1), `${bitsPerSecond} of ${expected}`).toBeLessThanOrEqual(WITHIN);
  }

  /** `burst`: what goes through at once; `limit`: what waits behind that before segments are dropped. */
  function shape(rate: string, burst: string, limit: string): void {
    const bucket = ["tbf", "rate", rate, "burst", burst, "limit", limit];
    for (const host of hosts) host.run("tc", "qdisc", "add", "dev", DEVICE, "root", ...bucket);
  }

  afterEach(() => {
    for (const host of hosts) host.run("tc", "qdisc", "delete", "dev", DEVICE, "root");
  });

  it.each(cases)("shaped, %s with %s flow(s) finds %i Mbit/s less the headers", async (command, flows, _, rate) => {
    // The bucket holds 20 ms' worth: it overflows, and the link is slower than its rate, only where the host is held up for longer; and
    // what it holds at the window's edges is little beside what passes within. The queue holds all that TCP may have in it: none is lost.
    shape(`${rate}bit`, String((rate / 8) * 0.02), "16mb");
    const result = await measure(command, "--flows", flows, "--duration", "4s", "--warmup", "500ms");
    expectGoodput(result, rate * PAYLOAD_SHARE);
  });

  it.each(cases)("%s --bandwidth with %s flow(s) gets its %i Mbit/s, evenly", async (command, flows, _, rate) => {
    // A batch of every flow goes through at once, and another may wait. More would be dropped.
    const batches = `${64 * Number(flows)}kb`;
    shape("4gbit", batches, batches);
    const result = await measure(
      command,
      "--flows",
      flows,
      "--bandwidth",
      String(rate),
      "--duration",
      "1500ms",
      "--warmup",
      "300ms",
    );
    expectGoodput(result, rate);
    const resent = result.flows.reduce((sum, { tcpInfo }) => sum + (tcpInfo?.retransmits ?? 0), 0);
    expect(resent * (MTU - HEADERS)).toBeLessThanOrEqual(0.001 * (result.throughput?.bytes ?? 0));
  });
});
