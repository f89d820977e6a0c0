import { describe, expect, it } from "vitest";
import { type NativeEngine, type NativePlan, loadAddon } from "../../src/native/index.js";
import { checkDirection, checkHalf, checkHistogram } from "./invariants.js";
import { describeIf, requirement } from "../support/requires.js";
import { type Measured, Pair, measure } from "./pair.js";
import { serverPlan } from "./plans.js";

const cpus = loadAddon().allowedCpus();
const cpu = (index: number): number => cpus[index % cpus.length] ?? -1;

/** Five flows, which no number of workers but five and one divides: the remainder must not be lost. */
const SHAPES: Record<NativeEngine, Partial<NativePlan>> = {
  block: { engine: "block", flows: 5, cpus: Array.from({ length: 5 }, (_, index) => cpu(index)) },
  epoll: { engine: "epoll", flows: 5, cpus: [cpu(0), cpu(1)] },
  spin: { engine: "spin", flows: 5, cpus: [cpu(0), cpu(1)] },
  uring: { engine: "uring", flows: 5, cpus: [cpu(0), cpu(1)] },
};
const ENGINES = Object.keys(SHAPES) as NativeEngine[];
const noUring = loadAddon().uringUnavailableReason();
const noZerocopyUring = loadAddon().uringUnavailableReason(true);

function checkRequests({ server, client }: Measured, plan: NativePlan): void {
  const { requestBytes, responseBytes, flows, burst } = plan;
  const inFlight = flows * (burst + 1);
  const { total } = client;
  expect(client.counters.transactions).toBeGreaterThan(0);
  checkHistogram(client.latency, client.counters.transactions);
  expect(server.latency).toBeUndefined();
  expect(total.bytesReceived).toBeGreaterThanOrEqual(total.transactions * responseBytes);
  expect(total.bytesSent).toBeGreaterThanOrEqual(total.transactions * requestBytes);
  expect(total.bytesSent).toBeLessThanOrEqual((total.transactions + inFlight) * requestBytes);
  expect(server.total.transactions).toBeGreaterThanOrEqual(total.transactions);
  expect(server.total.transactions).toBeLessThanOrEqual(total.transactions + inFlight);
}

const BULK: [NativePlan["loop"], string, Partial<NativePlan>][] = [
  ["send", "127.0.0.1", {}],
  ["send", "::1", {}],
  ["send", "127.0.0.1", { zerocopy: "msg" }],
  ["send", "127.0.0.1", { zerocopy: "sendfile" }],
  ["send", "127.0.0.1", { rx: "trunc" }],
  ["send", "127.0.0.1", { sendSizeBytes: 1000, recvSizeBytes: 777 }],
  ["send", "127.0.0.1", { zerocopy: "msg", rx: "zerocopy" }],
  ["receive", "127.0.0.1", {}],
  ["receive", "::1", { zerocopy: "msg", rx: "trunc" }],
];

function lacks(engine: NativeEngine, { zerocopy, rx }: Partial<NativePlan>): boolean {
  if (engine !== "uring") return false;
  return zerocopy === "sendfile" || rx === "zerocopy" || (zerocopy === "msg" && noZerocopyUring !== null);
}

describe.each(ENGINES.filter((engine) => engine !== "uring" || noUring === null))("engine %s", (engine) => {
  const shape = SHAPES[engine];

  it.each(BULK.filter(([, , options]) => !lacks(engine, options)))(
    "moves bytes: the server's half is %s on %s %o",
    async (loop, address, options) => {
      const plan = serverPlan({ ...shape, loop, address, ...options });
      const result = await measure(plan);
      const { server, client } = result;
      checkHalf(server, plan, false);
      checkHalf(client, plan, false);
      const [sender, receiver] = loop === "send" ? [server, client] : [client, server];
      checkDirection(sender.total, receiver.total);
      expect(sender.total.bytesReceived + receiver.total.bytesSent).toBe(0);
      // Pages that are not the kernel's own fill receive buffers early: a flow whose segment was dropped waits for a timer.
      const idle = receiver.flows.filter(({ bytesReceived }) => bytesReceived === 0);
      if (plan.zerocopy !== "msg") expect(idle).toEqual([]);
      expect([sender.latency, receiver.latency]).toEqual([undefined, undefined]);
      expect(receiver.zerocopy).toBeUndefined();
      const { mappedBytes = 0, copiedBytes: unmappedBytes = 0 } = receiver.rxZerocopy ?? {};
      expect(mappedBytes + unmappedBytes).toBe(plan.rx === "zerocopy" ? receiver.counters.bytesReceived : 0);
      if (plan.zerocopy !== "msg") {
        expect(sender.zerocopy).toBeUndefined();
        return;
      }
      const { requestedBytes = 0, zeroCopiedBytes = 0, copiedBytes = 0 } = sender.zerocopy ?? {};
      expect(requestedBytes).toBe(sender.counters.bytesSent);
      // Loopback always copies; completions within the window may belong to sends before it.
      expect(zeroCopiedBytes + copiedBytes).toBeGreaterThan(0);
    },
  );

  it.each([
    ["127.0.0.1", {}],
    ["::1", { requestBytes: 300, responseBytes: 20_000 }],
    ["127.0.0.1", { burst: 7 }],
    ["127.0.0.1", { requestBytes: 100_000, responseBytes: 3 }],
  ] as [string, Partial<NativePlan>][])("answers requests on %s %o", async (address, options) => {
    const plan = serverPlan({ ...shape, loop: "rr", address, ...options });
    const result = await measure(plan);
    checkHalf(result.server, plan, false);
    checkHalf(result.client, plan, false);
    checkRequests(result, plan);
    expect(result.client.flows.filter(({ transactions }) => transactions === 0)).toEqual([]);
    expect(result.client.flows.every((flow) => flow.connectErrors === undefined)).toBe(true);
  });

  it.each([
    ["127.0.0.1", { close: "server" }],
    ["::1", { close: "server", requestBytes: 5000, responseBytes: 70_000 }],
    ["127.0.0.1", { close: "client" }],
    ["127.0.0.1", { close: "reset" }],
    ["127.0.0.1", { close: "server", localPorts: [20_000, 24_999] }],
  ] as [string, Partial<NativePlan>][])("connects anew for every transaction on %s %o", async (address, options) => {
    const plan = serverPlan({ ...shape, loop: "crr", address, ...options });
    const result = await measure(plan);
    const { server, client } = result;
    checkHalf(server, plan, true);
    checkHalf(client, plan, false);
    checkRequests(result, plan);
    checkHistogram(client.connectLatency, client.counters.transactions);
    checkHistogram(client.requestLatency, client.counters.transactions);
    const mean = (latency = client.latency): number => (latency?.sumNs ?? 0) / client.counters.transactions;
    expect(mean(client.connectLatency) + mean(client.requestLatency)).toBeLessThanOrEqual(mean());
    expect(client.total.connections).toBe(client.total.transactions);
    // Beside what the client began and gave up when it was stopped, the server saw the client's first attempt.
    expect(server.total.connections).toBeGreaterThanOrEqual(client.total.connections);
    expect(server.total.connections).toBeLessThanOrEqual(client.total.connections + plan.flows + 1);
    expect(client.flows.every((flow) => flow.connectErrors !== undefined)).toBe(true);
  });
});

describeIf(requirement("io_uring", noUring === null))("engine uring", () => {
  it("talks to the other engines", async () => {
    const { client } = await measure(serverPlan({ ...SHAPES.uring, loop: "rr" }), SHAPES.block);
    expect(client.flows.filter(({ transactions }) => transactions === 0)).toEqual([]);
  });

  it("refuses what it lacks: sendfile", () => {
    expect(() => new Pair(serverPlan({ engine: "uring", loop: "send", zerocopy: "sendfile" }))).toThrow("zerocopy");
  });
});

describe("a session", () => {
  it("spreads its flows over the workers, one more for the first ones, on the CPUs asked for", async () => {
    const plan = serverPlan({ engine: "epoll", flows: 7, cpus: [cpu(0), -1, cpu(1)] });
    const { server, client } = await measure(plan);
    const expected = [cpu(0), cpu(0), cpu(0), -1, -1, cpu(1), cpu(1)];
    expect(client.flows.map((flow) => flow.cpu)).toEqual(expected);
    expect(server.flows.map((flow) => flow.cpu)).toEqual(expected);
  });

  it("lets different engines and numbers of workers talk to each other", async () => {
    const server = serverPlan({ engine: "epoll", flows: 3, cpus: [-1] });
    const { client } = await measure(server, { engine: "block", cpus: [-1, -1, -1] });
    expect(client.flows.filter(({ transactions }) => transactions === 0)).toEqual([]);
  });

  it("tells the kernel the socket options, and what became of them", async () => {
    const options = { sndbufBytes: 100_000, rcvbufBytes: 90_000, mssBytes: 1000, congestion: "reno" };
    const { server, client } = await measure(serverPlan({ loop: "receive", ...options }));
    for (const { socket } of [server, client]) {
      // The kernel doubles what is asked for, up to its own limit: socket(7).
      expect(socket).toMatchObject({ sndbufBytes: 200_000, rcvbufBytes: 180_000, congestion: "reno" });
      expect(socket.mssBytes).toBeLessThanOrEqual(1000);
    }
    expect(client.flows[0]?.tcpInfo?.mssBytes).toBeLessThanOrEqual(1000);
  });

  it("binds the addresses in turn", async () => {
    // A CRR server admits by address: it would serve nobody else.
    const addresses = ["127.0.0.2", "127.0.0.3"];
    const { client } = await measure(serverPlan({ loop: "crr", engine: "epoll", addresses }));
    expect(client.total.transactions).toBeGreaterThan(0);
  });
});
