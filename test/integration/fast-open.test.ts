/** TCP_CRR with the request in the SYN, and with a server that is woken for the request: by the counters of both kernels. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { checkResult } from "./invariants.js";
import { Lab } from "./lab.js";

const ENGINES = [
  ["block", "1"],
  ["epoll", "4"],
  ["spin", "2"],
  ["uring", "4"],
] as const;
const SHORT = ["-l", "700ms", "--warmup", "200ms"];

describeIf(rootAndNetns())("TCP_CRR", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const allow = (value: string): void => lab.network.server.sysctl("net.ipv4.tcp_fastopen", value);

  it.each(ENGINES)(
    "--fast-open, engine %s: every request but the first travels with its SYN",
    async (engine, flows) => {
      allow("3");
      const result = await lab.measure("crr", "--fast-open", "--engine", engine, "-P", flows, ...SHORT);
      checkResult(result);
      const { connections, network, warnings, spec } = result;
      expect(spec).toMatchObject({ fastOpen: true, deferAccept: false });
      const [active, passive] = [network?.local?.tcp?.fastOpensActive, network?.remote?.tcp?.fastOpensPassive];
      // Those that were under way at the window's edges are in one count or the other.
      for (const count of [active, passive]) {
        expect(count).toBeGreaterThan(0);
        expect(Math.abs(count! - connections!.count)).toBeLessThanOrEqual(Number(flows) + 1 + connections!.count / 20);
      }
      expect(warnings.map(({ code }) => code)).not.toContain("FAST_OPEN_NOT_USED");
    },
  );

  it("--fast-open where the server does not allow it: connections are made the old way, with a warning", async () => {
    allow("1");
    const result = await lab.measure("crr", "--fast-open", ...SHORT);
    checkResult(result);
    expect(result.network?.remote?.tcp?.fastOpensPassive).toBe(0);
    expect(result.warnings.map(({ code }) => code)).toContain("FAST_OPEN_NOT_USED");
  });

  it.each(ENGINES)("--defer-accept, engine %s", async (engine, flows) => {
    const host = lab.network.server;
    const before = host.tcpCounter("TCPDeferAcceptDrop");
    const result = await lab.measure("crr", "--defer-accept", "--engine", engine, "-P", flows, ...SHORT);
    checkResult(result);
    expect(result.spec).toMatchObject({ fastOpen: false, deferAccept: true });
    // The end of each handshake is dropped by the listener, whose connection waits for the request.
    expect(host.tcpCounter("TCPDeferAcceptDrop") - before).toBeGreaterThanOrEqual(result.transactions!.count);
  });
});
