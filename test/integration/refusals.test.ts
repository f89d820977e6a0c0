/** What cannot be done ends at once with one line that says why, the right exit code, and nothing left running. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answers, HONEST, stubServer } from "../fakes/stub-server.js";
import type { Namespace } from "../support/netns.js";
import { Cli, type Finished, type ProgramOptions } from "../support/program.js";
import { describeIf, itIf, requirement, rootAndNetns } from "../support/requires.js";
import { Resources } from "../support/resources.js";
import { resultOf } from "../support/result-schema.js";
import { Lab, startServer } from "./lab.js";

const QUICK = ["--duration", "100ms", "--warmup", "0"];
const ENDLESS = ["--duration", "10m", "--warmup", "0", "--interval", "50ms"];

async function cli(args: readonly string[], options: ProgramOptions = {}): Promise<Finished> {
  await using program = new Cli(args, options);
  return await program.finished;
}

/** Nothing but one line on stderr, about what it is expected to be about. */
function expectLine({ code, stdout, stderr }: Finished, exitCode: number, about: RegExp): void {
  expect({ code, stdout, stderr }).toEqual({
    code: exitCode,
    stdout: "",
    stderr: expect.stringMatching(about) as string,
  });
  expect(stderr).toMatch(/^cnb-load: [^\n]+\n$/);
}

/** Goes before a command that may open no more descriptors than this. */
const descriptorLimit = (limit: number): ProgramOptions => ({
  prefix: ["sh", "-c", 'ulimit -n "$0" && exec "$@"', String(limit)],
});

const onLoopback = { prefix: [] } as unknown as Namespace;

describe("a run that cannot be", () => {
  it("lasts no time", async () => {
    expectLine(await cli(["rr", "127.0.0.1", "--duration", "0"]), 2, /--duration: expected [^\n]*, got "?0"?/);
  });

  it("has more flows than descriptors", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const many = ["rr", "127.0.0.1", "--port", port, "--flows", "100000"];
    expectLine(
      await cli(many, descriptorLimit(1000)),
      4,
      /--flows: 100000 flows on \d+ workers? may need 1000\d\d open files [^\n]* 1000; [^\n]*`ulimit -n 1000\d\d`/,
    );
  });

  it("talks to a server of another version", async () => {
    await using server = await stubServer({ hello: [{ type: "hello", protocol: 99, version: "7.0.0" }] });
    const finished = await cli(["rr", "127.0.0.1", "--port", String(server.port)]);
    expectLine(finished, 4, /cnb-load 7\.0\.0\) speaks protocol 99, [^\n]*use the same version/);
  });

  it.each<[string, Answers, number, RegExp]>([
    ["says nonsense", { setup: [{ type: "prepared", dataPort: "x" }] }, 1, /dataPort/],
    ["names a port where nobody listens", HONEST, 3, /connecting the flows: [^\n]*refused/],
    ["goes silent", { setup: [] }, 1, /within \d+ s|silent/],
  ])("talks to a server that %s", async (_what, answers, exitCode, about) => {
    const [gone] = await closedPort();
    const answersThere = answers === HONEST ? prepared(gone) : { ...HONEST, ...answers };
    await using server = await stubServer(answersThere);
    expectLine(await cli(["rr", "127.0.0.1", "--port", String(server.port)]), exitCode, about);
  });

  it("uses a congestion control that the kernel does not have", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const finished = await cli(["rr", "127.0.0.1", "--port", port, "--congestion", "nonesuch", ...QUICK]);
    expectLine(finished, 2, /congestion[^\n]*nonesuch/);
  });

  it("comes from an address that this host does not have", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const finished = await cli(["rr", "127.0.0.1", "--port", port, "--bind", "192.0.2.7", ...QUICK]);
    expectLine(finished, 2, /--bind: cannot use 192\.0\.2\.7/);
    const second = await cli(["rr", "127.0.0.1", "--port", port, "--bind", "127.0.0.1,192.0.2.7", "-P", "2", ...QUICK]);
    expectLine(second, 2, /bind[^\n]*192\.0\.2\.7/);
  });
});

async function closedPort(): Promise<[number]> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return [port];
}

/** An honest server's answers with a data port of the caller's choice. */
function prepared(dataPort: number): Answers {
  const [first, ...rest] = HONEST["setup"] ?? [];
  return { ...HONEST, setup: [{ ...first, dataPort }, ...rest] };
}

/** Both ends take a descriptor for each flow, and some. */
const openFiles = (count: number) => {
  const limit = spawnSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).stdout.trim();
  return requirement(`${count} open files (ulimit -Hn)`, limit === "unlimited" || Number(limit) >= count);
};

describe("very many flows", () => {
  itIf(openFiles(10_200))("are as good as few: 10,000 come up, work and go", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const before = Resources.of(server);
    const finished = await cli(["rr", "127.0.0.1", "--port", port, "-P", "10000", "--json", "-l", "1s"]);
    expect(finished.code, finished.stderr).toBe(0);
    const { state, flows, transactions, latency } = resultOf(finished);
    expect({ state, flows: flows.length, timed: latency?.count }).toEqual({
      ...{ state: "completed", flows: 10_000, timed: transactions?.count },
    });
    expect(transactions?.count).toBeGreaterThan(0);
    await before.restored(5000);
  });

  itIf(openFiles(16_700))("are refused by a server that was not told to take them", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const finished = await cli(["rr", "127.0.0.1", "--port", port, "-P", "16500"]);
    expectLine(
      finished,
      4,
      /the server: --flows: this server allows 16384 flows per session \(--max-flows\), 16500 were/,
    );
  });
});

describe("descriptors that run out", () => {
  it("on the client are told before anything begins", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    const finished = await cli(["stream", "127.0.0.1", "--port", port, ...QUICK], descriptorLimit(64));
    expectLine(
      finished,
      4,
      /--flows: 1 flow on 1 worker may need \d+ open files \(\d+ are open\), and the limit [^\n]* 64; [^\n]*`ulimit -n \d+`/,
    );
  });

  it("on the server are told to the client, and the server goes on", async () => {
    const server = new Cli(["server", "--host", "127.0.0.1", "--port", "0"], descriptorLimit(150));
    await using _ = server;
    const [, port = ""] = await server.saying("stdout", /:(\d+)\n/);
    const before = Resources.of(server);
    for (let round = 0; round < 3; round++) {
      const finished = await cli(["rr", "127.0.0.1", "--port", port, "-P", "100", ...QUICK]);
      expectLine(finished, 4, /the server: [^\n]*100 flows on \d+ workers? may need \d+ open files [^\n]* 150;/);
    }
    await before.restored(5000);
    const { code, stderr } = await cli(["rr", "127.0.0.1", "--port", port, "-P", "4", ...QUICK]);
    expect(code, stderr).toBe(0);
  });

  it("for the workers rather than the flows are told before anything begins, too", async () => {
    const { server, port } = await startServer(onLoopback);
    await using _ = server;
    // As many epoll instances again as flows.
    const flows = ["-P", "100", "--engine", "epoll", "--threads", "100"];
    const finished = await cli(["rr", "127.0.0.1", "--port", port, ...flows, ...QUICK], descriptorLimit(250));
    expectLine(finished, 4, /--flows: 100 flows on 100 workers may need \d+ open files [^\n]* 250;/);
    expect(server.stdout.split("\n")).toHaveLength(2);
  });
});

describe("a server that refuses", () => {
  it("has its only data port in use", async () => {
    const [dataPort] = await closedPort();
    const { server, port } = await startServer(onLoopback, "--data-port", String(dataPort));
    await using _ = server;
    // A test with long-lived flows needs the port only until they have come: then there is room for the next.
    await using lived = new Cli(["rr", "127.0.0.1", "--port", port, ...ENDLESS]);
    await lived.saying("stderr", / s {2}/);
    await using first = new Cli(["crr", "127.0.0.1", "--port", port, ...ENDLESS]);
    await first.saying("stderr", / s {2}/);
    for (const second of ["stream", "crr"]) {
      const finished = await cli([second, "127.0.0.1", "--port", port, "--engine", "epoll", "-P", "4", ...QUICK]);
      expectLine(finished, 4, new RegExp(`the server: the server is busy: data port ${dataPort} is in use`));
    }
    for (const { child } of [first, lived]) child.kill("SIGINT");
    expect([(await first.finished).code, (await lived.finished).code]).toEqual([130, 130]);
    // Free again as soon as the one before it is over, TIME_WAIT or not.
    const { code, stderr } = await cli(["crr", "127.0.0.1", "--port", port, ...QUICK]);
    expect(code, stderr).toBe(0);
  });

  it("has another data port than the one asked for", async () => {
    const [dataPort] = await closedPort();
    const { server, port } = await startServer(onLoopback, "--data-port", String(dataPort));
    await using _ = server;
    const finished = await cli(["rr", "127.0.0.1", "--port", port, "--data-port", "9", ...QUICK]);
    expectLine(finished, 4, new RegExp(`--data-port: this server's data port is fixed to ${dataPort}`));
  });

  it("has as many sessions, flows and seconds as it grants", async () => {
    const { server, port } = await startServer(
      onLoopback,
      ...["--max-sessions", "1", "--max-flows", "3", "--max-duration", "11m"],
    );
    await using _ = server;
    await using first = new Cli(["rr", "127.0.0.1", "--port", port, ...ENDLESS]);
    await first.saying("stderr", / s {2}/);
    expectLine(await cli(["rr", "127.0.0.1", "--port", port]), 4, /server is busy: 1 session/);
    first.child.kill("SIGINT");
    expect((await first.finished).code).toBe(130);
    expectLine(await cli(["rr", "127.0.0.1", "--port", port, "-P", "4"]), 4, /--flows: this server allows 3 flows/);
    expectLine(
      await cli(["rr", "127.0.0.1", "--port", port, "-l", "12m"]),
      4,
      /--duration: this server allows tests of/,
    );
    const { code } = await cli(["rr", "127.0.0.1", "--port", port, "-P", "3", ...QUICK]);
    expect(code).toBe(0);
  });

  it("does not know the client's address", async () => {
    const { server, port } = await startServer(onLoopback, "--allow", "10.0.0.0/8,fd00::/8");
    await using _ = server;
    expectLine(await cli(["rr", "127.0.0.1", "--port", port]), 4, /127\.0\.0\.1 is not allowed here/);
  });
});

describeIf(rootAndNetns())("a host that cannot be reached", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.start();
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const reach = (...args: string[]): Promise<Finished> => cli(args, { prefix: lab.network.client.prefix });

  describe.concurrent("ends in time", { timeout: 60_000 }, () => {
    it.each([
      ["has no such neighbour", "10.77.0.99", /cannot connect to 10\.77\.0\.99:12865: EHOSTUNREACH/],
      ["has no such neighbour over IPv6", "fd77::99", /cannot connect to \[fd77::99\]:12865: EHOSTUNREACH/],
      ["has no route", "192.0.2.1", /cannot connect to 192\.0\.2\.1:12865: ENETUNREACH/],
      ["listens to nobody", "10.77.0.1", /cannot connect to 10\.77\.0\.1:12865: ECONNREFUSED/],
    ])("where the network %s", async (_what, host, about) => {
      expectLine(await reach("rr", host), 3, about);
    });

    it("where packets vanish", async () => {
      // A neighbour with an address that no interface answers to.
      const neighbour = ["10.77.0.98", "lladdr", "02:00:00:00:00:98", "dev", "cnb0", "nud", "permanent"];
      lab.network.client.ip("neighbour", "add", ...neighbour);
      expectLine(
        await reach("rr", "10.77.0.98"),
        3,
        /cannot connect to 10\.77\.0\.98:12865: no answer within \d+\.\d s/,
      );
    });

    it("where the control connection gets through and the flows do not", async () => {
      const { client, server } = lab.network;
      // The server has no way back to this address.
      client.ip("address", "add", "10.99.0.1/32", "dev", "cnb0");
      const before = Resources.of(lab.server);
      const bind = ["--bind", `${client.ipv4[0]},10.99.0.1`];
      expectLine(
        await reach("rr", server.ipv4[0] ?? "", "-p", lab.port, "-P", "2", ...bind),
        3,
        /connecting the flows/,
      );
      await before.restored(6000);
    });
  });
});
