import { once } from "node:events";
import { openSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { resultOf } from "../support/result-schema.js";
import { Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "200ms", "--warmup", "50ms"];
/** Far longer than any test waits: only an interruption ends it. */
const ENDLESS = ["--duration", "10m", "--warmup", "0", "--interval", "50ms"];
/** The line of an interval on stderr: from then on something has been measured. */
const INTERVAL = /^ +\d+\.\d-\d+\.\d s {2}/m;

async function listen(onSocket: (socket: Socket) => void): Promise<{ peer: Server; port: string }> {
  const peer = createServer((socket) => onSocket(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await once(peer, "listening");
  return { peer, port: String((peer.address() as AddressInfo).port) };
}

describe("a server that cannot be reached", () => {
  it("is told with exit code 3 when nothing listens there", async () => {
    const { peer, port } = await listen(() => undefined);
    peer.close();
    await once(peer, "close");
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "--port", port, "--json");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^cnb-load: cannot connect to 127\.0\.0\.1:\d+: ECONNREFUSED[^\n]*\n$/);
  });

  it("is told with exit code 3 when its name is unknown", async () => {
    const { stderr, code } = await cli("rr", "no-such-host.invalid");
    expect(code).toBe(3);
    expect(stderr).toMatch(/^cnb-load: cannot resolve no-such-host\.invalid: [^\n]+\n$/);
  });

  it.each<[string, (socket: Socket) => void]>([
    ["speaks HTTP", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")],
    ["closes at once", (socket) => socket.end()],
    ["resets", (socket) => socket.once("data", () => socket.resetAndDestroy())],
    ["says nothing", (socket) => socket.resume()],
  ])("is told with exit code 3 when what listens there %s", async (_, onSocket) => {
    const sockets = new Set<Socket>();
    const { peer, port } = await listen((socket) => {
      sockets.add(socket);
      onSocket(socket);
    });
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "--port", port);
    for (const socket of sockets) socket.destroy();
    peer.close();
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^cnb-load: 127\.0\.0\.1 port \d+ does not answer as a cnb-load server: [^\n]+\n$/);
  });
});

describe("a server that refuses", () => {
  it("is told with exit code 4 when it is busy", async () => {
    const { server, port } = await startServer("--max-sessions", "1", "--quiet");
    await using _ = server;
    await using first = new Cli(["rr", "127.0.0.1", "--port", port, ...ENDLESS]);
    await first.saying("stderr", INTERVAL);
    const { stdout, stderr, code } = await cli("rr", "127.0.0.1", "--port", port, ...QUICK);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toMatch(/^cnb-load: the server: [^\n]+\n$/);
  });

  it("is told with exit code 4 when the test is too long for it", async () => {
    const { server, port } = await startServer("--max-duration", "1s", "--quiet");
    await using _ = server;
    const { stderr, code } = await cli("rr", "127.0.0.1", "--port", port, "--duration", "2s");
    expect(code).toBe(4);
    expect(stderr).toMatch(/^cnb-load: the server: [^\n]*duration[^\n]*\n$/);
  });

  it("is told with exit code 2 when it is asked for CPUs that it may not use", async () => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    const { stderr, code } = await cli("rr", "127.0.0.1", "--port", port, "--server-cpus", "8191", ...QUICK);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cnb-load: the server: --server-cpus: [^\n]*8191[^\n]*\n$/);
  });
});

describe("an interrupted run", () => {
  it.each([
    ["rr", "SIGINT"],
    ["stream", "SIGTERM"],
    ["crr", "SIGINT"],
  ] as const)("of %s prints what was measured and ends with 130 on %s", async (command, signal) => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    await using run = new Cli([command, "127.0.0.1", "--port", port, "--json", ...ENDLESS]);
    await run.saying("stderr", INTERVAL);
    run.child.kill(signal);
    const finished = await run.finished;
    expect(finished.code).toBe(130);
    const result = resultOf(finished);
    expect(result.state).toBe("aborted");
    expect(result.window.durationNs).toBeGreaterThan(0);
    expect(result.transactions?.count ?? result.throughput?.bytes).toBeGreaterThan(0);
    expect(result.cpu.remote).toBeDefined();
  });

  it("prints its table, too", async () => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    await using run = new Cli(["rr", "127.0.0.1", "--port", port, ...ENDLESS]);
    await run.saying("stderr", INTERVAL);
    run.child.kill("SIGINT");
    const { stdout, code } = await run.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^tcp_rr to 127\.0\.0\.1: 1 flow, aborted after \d+\.\d s\n/);
  });

  it("ends with 130 and one line when nothing had been measured", async () => {
    const { peer, port } = await listen((socket) => socket.resume());
    const connected = once(peer, "connection") as Promise<[Socket]>;
    await using run = new Cli(["rr", "127.0.0.1", "--port", port]);
    const [socket] = await connected;
    run.child.kill("SIGINT");
    const { stdout, stderr, code } = await run.finished;
    socket.destroy();
    peer.close();
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toBe("cnb-load: interrupted before anything was measured\n");
  });
});

describe("a run that fails in its window", () => {
  it.each(["rr", "stream", "crr"])("of %s prints what was measured when the server is killed", async (command) => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    await using run = new Cli([command, "127.0.0.1", "--port", port, "--json", ...ENDLESS]);
    await run.saying("stderr", INTERVAL);
    server.child.kill("SIGKILL");
    const finished = await run.finished;
    expect(finished.code).toBe(1);
    const result = resultOf(finished);
    expect(result.state).toBe("failed");
    expect(result.error?.code).toMatch(/^ERR_/);
    expect(result.intervals.length).toBeGreaterThan(0);
    expect(finished.stderr.trim().split("\n").at(-1)).toBe(`cnb-load: ${result.error?.message ?? ""}`);
  });
});

describe("stdout", () => {
  it("on a full device is reported with exit code 1", async () => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    await using run = new Cli(["rr", "127.0.0.1", "--port", port, ...QUICK], { stdout: openSync("/dev/full", "w") });
    const { stderr, code } = await run.finished;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cnb-load: cannot write to stdout: [^\n]*ENOSPC[^\n]*\n$/);
  });

  it("whose reader went away ends the program without a word", async () => {
    const { server, port } = await startServer("--quiet");
    await using _ = server;
    await using run = new Cli(["rr", "127.0.0.1", "--port", port, ...QUICK]);
    run.child.stdout?.destroy();
    const { stderr, code } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
  });
});
