/** TCP_CRR at full speed over veth, where the kernel's reuse of ports in TIME_WAIT on loopback does not help, and what happens when ports run out. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Result } from "../../src/result/model.js";
import { describeIf, rootAndNetns } from "../support/requires.js";
import { checkResult, sum } from "./invariants.js";
import { Lab } from "./lab.js";

const NO_ERRORS = { portsExhausted: 0, refused: 0, timedOut: 0, reset: 0, other: 0 };

describeIf(rootAndNetns())("source ports", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  /** Connections as result and kernel count them, to within 1 % and those that were under way when the flows were stopped. */
  async function measureCounted(...args: string[]): Promise<Result> {
    const host = lab.network.server;
    const before = host.tcpCounter("PassiveOpens");
    const result = await lab.measure("crr", ...args);
    // Without the control connection and the client's first attempt.
    const opened = host.tcpCounter("PassiveOpens") - before - 2;
    checkResult(result);
    for (const end of [result.totals.local, result.totals.remote]) {
      expect(Math.abs((end?.connections ?? 0) - opened)).toBeLessThanOrEqual(result.spec.flows + 1 + opened / 100);
    }
    return result;
  }

  it.each([
    ["server", "block", "2"],
    ["client", "block", "2"],
    ["reset", "epoll", "4"],
    ["server", "epoll", "4"],
  ])("never run out when the %s closes first (engine %s, %s flows)", async (close, engine, flows) => {
    const how = ["--close", close, "--engine", engine, "--flows", flows];
    const { connections, totals, warnings, spec } = await measureCounted("-l", "2500ms", "--warmup", "500ms", ...how);
    expect(spec.close).toBe(close);
    expect(connections?.errors).toEqual(NO_ERRORS);
    expect(totals.local.connectErrors).toEqual(NO_ERRORS);
    expect(warnings.map(({ code }) => code)).not.toContain("PORTS_EXHAUSTED");
  });

  const SHORT = ["-l", "700ms", "--warmup", "100ms"];

  describe("in a small range", () => {
    let usual: string;
    beforeAll(() => {
      usual = lab.network.client.run("cat", "/proc/sys/net/ipv4/ip_local_port_range").trim();
      lab.network.client.sysctl("net.ipv4.ip_local_port_range", "30000 30019");
    });
    afterAll(() => {
      lab.network.client.sysctl("net.ipv4.ip_local_port_range", usual);
    });

    it.each([
      ["--close", "server"],
      ["--close", "reset", "--engine", "epoll", "-P", "8"],
      // Ports that were bound come back from TIME_WAIT at once where TCP timestamps are on, but not before the server has closed, too.
      ["--close", "client", "--local-ports", "20000-20199", "-P", "2"],
    ])("suffice, however many connections follow one another (%s %s)", async (...how) => {
      const { totals } = await measureCounted(...SHORT, ...how);
      expect(totals.local.connectErrors).toEqual(NO_ERRORS);
    });

    it("must be as many as there are flows", async () => {
      const { code, stderr } = await lab.finish("crr", "-P", "300", "--engine", "epoll");
      expect(code).toBe(1);
      expect(stderr).toMatch(/^cnb-load: --flows: 300 flows need more than 20 source ports \(30000-30019\)[^\n]*\n$/);
    });
  });

  describe("without TCP timestamps", () => {
    beforeAll(() => {
      lab.network.client.sysctl("net.ipv4.tcp_timestamps", "0");
    });
    afterAll(() => {
      lab.network.client.sysctl("net.ipv4.tcp_timestamps", "1");
    });

    it.each([
      ["block", "1"],
      ["epoll", "3"],
    ])("run out, which is foretold and counted, and the run goes on (engine %s, %s flows)", async (engine, flows) => {
      // Each test has ports of its own, no more than even a busy host spends within moments.
      const ports = ["--local-ports", engine === "block" ? "21000-21009" : "22000-22009"];
      const how = ["--close", "client", "--engine", engine, "-P", flows, "--warmup", "0", "-l", "1s"];
      const result = await lab.measure("crr", ...ports, ...how);
      expect(result.state).toBe("completed");
      expect(result.transactions?.count).toBeGreaterThan(0);
      expect(result.transactions?.count).toBeLessThanOrEqual(10);
      const { errors } = result.connections ?? {};
      expect(errors?.portsExhausted).toBeGreaterThan(0);
      expect(sum(result.flows.map(({ connectErrors }) => connectErrors?.portsExhausted))).toBe(errors?.portsExhausted);
      const codes = result.warnings.map(({ code }) => code);
      expect(codes).toContain("PORT_BUDGET");
      expect(codes).toContain("PORTS_EXHAUSTED");
    });

    it("are carried further by more addresses", async () => {
      const addresses = lab.network.client.ipv4;
      const how = ["--close", "client", "--warmup", "0", "-l", "2s", "--local-ports", "23000-23004"];
      const { transactions } = await lab.measure("crr", "--bind", addresses.join(), ...how);
      expect(transactions?.count).toBeGreaterThan(5);
      expect(transactions?.count).toBeLessThanOrEqual(5 * addresses.length);
    });

    it("suffice where the server closes first", async () => {
      const { totals } = await measureCounted(...SHORT, "--close", "server");
      expect(totals.local.connectErrors).toEqual(NO_ERRORS);
    });
  });
});
