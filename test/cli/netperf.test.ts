/** netperf's command line as users start it, over loopback and with real traffic. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetperfAcceptor } from "../../src/netperf/index.js";
import { resolveServeOptions } from "../../src/options/spec.js";
import { type SessionSummary, serve } from "../../src/run/index.js";
import { Program } from "../support/program.js";
import { until } from "../support/until.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const NETPERF = [process.execPath, join(DIST, "netperf-bin.js")] as const;
/** Where the one server of this file listens. */
const HOSTS = ["127.0.0.1", "::1"];
let server: Program;
let port = "";

beforeAll(async () => {
  server = new Program([process.execPath, join(DIST, "netserver-bin.js"), "-D", "-p", "0"]);
  [, port = ""] = await server.saying("stdout", /^Starting netserver with host 'IN\(6\)ADDR_ANY' port '(\d+)'/);
});
afterAll(() => server[Symbol.asyncDispose]());

interface Ran {
  code: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

async function netperf(...args: string[]): Promise<Ran> {
  await using client = new Program([...NETPERF, "-p", port, ...args]);
  return await client.finished;
}

/** NAME=value lines. */
function valuesOf(stdout: string): Record<string, string> {
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

describe.each(HOSTS)("to %s", (host) => {
  it.each(["TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "TCP_CC", "TCP_SENDFILE", "UDP_RR"])("%s", async (test) => {
    const { code, stdout, stderr } = await netperf(
      ...["-H", host, "-t", test, "-l", "300ms", "-P", "0", "-c", "-C"],
      ...["--", "-k", "THROUGHPUT,ELAPSED_TIME,LOCAL_BYTES_SENT,REMOTE_BYTES_RECVD,REMOTE_CPU_METHOD,P99_LATENCY"],
    );
    expect([code, stderr]).toEqual([0, ""]);
    const values = valuesOf(stdout);
    expect(Number(values["THROUGHPUT"])).toBeGreaterThan(0);
    expect(Number(values["ELAPSED_TIME"])).toBeGreaterThan(0.25);
    expect(Number(values["P99_LATENCY"])).toBeGreaterThan(0);
    expect(values["REMOTE_CPU_METHOD"]).toBe("S");
    if (["TCP_STREAM", "TCP_SENDFILE"].includes(test)) {
      expect(values["REMOTE_BYTES_RECVD"]).toBe(values["LOCAL_BYTES_SENT"]);
    }
  });

  it("UDP_STREAM: no more comes than was sent, and every call is in the table", async () => {
    const { code, stdout, stderr } = await netperf(
      ...["-H", host, "-t", "UDP_STREAM", "-l", "300ms", "-P", "0"],
      ...["--", "-m", "1000", "-k", "LOCAL_SEND_CALLS,LOCAL_BYTES_SENT,REMOTE_RECV_CALLS,REMOTE_BYTES_RECVD"],
    );
    expect([code, stderr]).toEqual([0, ""]);
    const values = valuesOf(stdout);
    const [sent, received] = [Number(values["LOCAL_SEND_CALLS"]), Number(values["REMOTE_RECV_CALLS"])];
    expect(Number(values["LOCAL_BYTES_SENT"])).toBe(1000 * sent);
    expect(Number(values["REMOTE_BYTES_RECVD"])).toBe(1000 * received);
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThanOrEqual(sent);
  });

  it("TCP_MSS", async () => {
    const { code, stdout } = await netperf("-H", host, "-t", "TCP_MSS", "-P", "0");
    expect(code).toBe(0);
    expect(Number(stdout)).toBeGreaterThanOrEqual(536);
  });

  it("the data connection comes from the port and goes to the one that were asked for", async () => {
    const free = [await freePort(host), await freePort(host)];
    const { code, stderr } = await netperf("-H", host, "-t", "TCP_RR", "-l", "-10", "--", "-P", free.join(","));
    expect([code, stderr]).toEqual([0, ""]);
  });
});

async function freePort(host: string): Promise<number> {
  const probe = createServer().listen(0, host);
  await once(probe, "listening");
  const { port: found } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return found;
}

it.each([["TCP_RR"], ["TCP_CRR"], ["UDP_RR"]])(
  "%s with a negative -l ends after as many transactions",
  async (test) => {
    const { code, stdout } = await netperf(
      ...["-H", "127.0.0.1", "-t", test, "-l", "-50", "-P", "0"],
      ...["--", "-r", "10,20", "-k", "LOCAL_BYTES_SENT,LOCAL_BYTES_RECVD,REMOTE_BYTES_SENT"],
    );
    expect(code).toBe(0);
    expect(stdout).toBe("LOCAL_BYTES_SENT=500\nLOCAL_BYTES_RECVD=1000\nREMOTE_BYTES_SENT=1000\n");
  },
);

describe("options", () => {
  it.each(["TCP_STREAM", "TCP_RR", "TCP_CRR", "UDP_STREAM", "UDP_RR"])("-b and -w pace %s", async (test) => {
    const { stdout } = await netperf(
      ...["-H", "127.0.0.1", "-t", test, "-l", "500ms", "-b", "2", "-w", "50m", "-P", "0", "--"],
      ...["-m", "1000", "-k", "LOCAL_SEND_CALLS,LOCAL_INTERVAL_USECS,LOCAL_INTERVAL_BURST,ELAPSED_TIME"],
    );
    const values = valuesOf(stdout);
    expect([values["LOCAL_INTERVAL_USECS"], values["LOCAL_INTERVAL_BURST"]]).toEqual(["50000", "2"]);
    // Two in each interval, the one that is just beginning included; on a busy machine the test may take longer.
    expect(Number(values["LOCAL_SEND_CALLS"])).toBeGreaterThan(0);
    expect(Number(values["LOCAL_SEND_CALLS"])).toBeLessThanOrEqual(2 * (Number(values["ELAPSED_TIME"]) / 0.05 + 2));
  });

  it("-b and -w for the server pace what it sends", async () => {
    const { stdout } = await netperf(
      ...["-H", "127.0.0.1", "-t", "TCP_MAERTS", "-l", "1", "-b", ",2", "-w", ",50m", "-P", "0"],
      ...["--", "-m", ",1000", "-k", "LOCAL_BYTES_RECVD,ELAPSED_TIME"],
    );
    const values = valuesOf(stdout);
    const most = 2000 * (Number(values["ELAPSED_TIME"]) / 0.05 + 2);
    expect(Number(values["LOCAL_BYTES_RECVD"])).toBeGreaterThan(0);
    expect(Number(values["LOCAL_BYTES_RECVD"])).toBeLessThanOrEqual(most);
  });

  it("a test that is interrupted prints what it measured so far", async () => {
    await using client = new Program([...NETPERF, "-p", port, "-H", "127.0.0.1", "-t", "TCP_RR", "-l", "60"]);
    await client.saying("stdout", /REQUEST\/RESPONSE/);
    client.child.kill("SIGINT");
    const { code, stdout } = await client.finished;
    expect(code).toBe(0);
    expect(stdout.split("\n")[6]).toMatch(/^\d+ +\d+ +1 +1 +\d+\.\d\d +\d+\.\d\d {3}$/);
  });

  it("reach the sockets of both ends", async () => {
    const { stdout, stderr } = await netperf(
      ...["-H", "127.0.0.1", "-t", "TCP_STREAM", "-l", "200ms", "-P", "0", "-S", "-y", "1,2", "-Y", "cs1,ef"],
      ...["--", "-K", "reno,reno", "-G", "1000", "-s", "20000,30000", "-S", "40000,50000", "-m", "1000", "-V", "-g"],
      ...["-k", "LOCAL_SOCKET_PRIO,REMOTE_SOCKET_PRIO,LOCAL_SOCKET_TOS,REMOTE_SOCKET_TOS,LSS_SIZE_END,RSR_SIZE_END"],
      ...["-o", "LOCAL_CONG_CONTROL,REMOTE_CONG_CONTROL,LSS_SIZE,LSR_SIZE,RSS_SIZE,RSR_SIZE,LOCAL_SEND_SIZE"],
    );
    expect([stdout.trimEnd(), stderr]).toEqual(["reno,reno,40000,60000,80000,100000,1000", ""]);
    const prio = await netperf(
      ...["-H", "127.0.0.1", "-t", "TCP_RR", "-l", "-5", "-P", "0", "-y", "1,2", "-Y", "cs1,ef", "-S"],
      ...["--", "-o", "LOCAL_SOCKET_PRIO,REMOTE_SOCKET_PRIO,LOCAL_SOCKET_TOS,REMOTE_SOCKET_TOS"],
    );
    expect(prio.stdout).toBe("1,2,0x20,0xb8\n");
  });

  it("-v 2 prints the histogram of all transactions", async () => {
    const { stdout } = await netperf("-H", "127.0.0.1", "-t", "TCP_RR", "-l", "-500", "-P", "0", "-v", "2");
    const rows = [...stdout.matchAll(/^[A-Z_]+ +((?:: +\d+){10})$/gm)];
    const counts = rows.flatMap(([, cells = ""]) => [...cells.matchAll(/\d+/g)].map(Number));
    expect(rows).toHaveLength(8);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(stdout).toContain("HIST_TOTAL:      500\n");
  });

  it("DUMP_TCP_INFO tells of the connection on stderr", () => {
    const options = { encoding: "utf8", env: { ...process.env, DUMP_TCP_INFO: "1" }, timeout: 30_000 } as const;
    const { stderr } = spawnSync(NETPERF[0], [NETPERF[1], "-H", "127.0.0.1", "-p", port, "-l", "200ms"], options);
    expect(stderr).toMatch(/^tcpi_rto \d+ tcpi_ato \d+ tcpi_pmtu \d+ tcpi_rcv_ssthresh \d+\ntcpi_rtt \d+ /);
    expect(stderr).toMatch(/ tpci_snd_cwnd \d+\ntcpi_reordering \d+ tcpi_total_retrans \d+\n$/);
  });
});

describe("without a control connection (-N)", () => {
  const services: Server[] = [];
  const ports: number[] = [];
  beforeAll(async () => {
    for (const serve of [discard, chargen, echo]) {
      const service = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on("error", () => undefined);
        serve(socket);
      }).listen(0, "127.0.0.1");
      await once(service, "listening");
      services.push(service);
      ports.push((service.address() as AddressInfo).port);
    }
  });
  afterAll(() => {
    for (const service of services) service.close();
  });

  function discard(socket: Socket): void {
    socket.on("data", () => undefined).on("end", () => socket.end());
  }
  function echo(socket: Socket): void {
    socket.pipe(socket);
  }
  function chargen(socket: Socket): void {
    const block = Buffer.alloc(65_536);
    const fill = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket
      .resume()
      .on("drain", fill)
      .on("end", () => socket.destroy());
    fill();
  }

  it.each([
    ["TCP_STREAM", 0],
    ["TCP_MAERTS", 1],
    ["TCP_RR", 2],
    ["TCP_CRR", 2],
  ])("%s", async (test, service) => {
    const place = ["-N", "-H", "127.0.0.1", "-t", test, "-l", "300ms", "-P", "0", "-v", "0"];
    const { code, stdout, stderr } = await netperf(...place, "--", "-P", `,${ports[service]}`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it.each(["TCP_STREAM", "TCP_SENDFILE"])("-F: %s sends what the file holds", async (test) => {
    const chunks: Buffer[] = [];
    await using service = createServer((socket) => socket.on("data", (chunk) => chunks.push(chunk)));
    service.listen(0, "127.0.0.1");
    await once(service, "listening");
    const { port: to } = service.address() as AddressInfo;
    const file = fileURLToPath(import.meta.url);
    const args = ["-N", "-H", "127.0.0.1", "-t", test, "-l", "-3000", "-F", file, "-P", "0"];
    const { code, stderr } = await netperf(...args, "--", "-P", `,${to}`, "-m", "1000");
    expect([code, stderr]).toEqual([0, ""]);
    const sent = readFileSync(file).subarray(0, 1000);
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([sent, sent, sent]));
  });

  it.each([
    ["/nowhere", "Could not open requested fill file: /nowhere\n"],
    ["/", "Could not open requested fill file: /\n"],
    ["/dev/null", "netperf: the fill file /dev/null is empty\n"],
  ])("-F %s is told before anything is sent", async (file, message) => {
    const { code, stdout, stderr } = await netperf("-N", "-H", "127.0.0.1", "-F", file);
    expect([code, stdout + stderr]).toEqual([1, message]);
  });

  it("tells where there is nobody", async () => {
    const nobody = await freePort("127.0.0.1");
    const { code, stderr } = await netperf("-N", "-H", "127.0.0.1", "-t", "TCP_RR", "--", "-P", `,${nobody}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^netperf: send_omni: connect_data_socket failed: .*ECONNREFUSED|refused/);
  });
});

it("N copies in a loop of the shell, fields taken by line and column, add up to what the server received", async () => {
  const copies = 3;
  const told: SessionSummary[] = [];
  const place = { host: "127.0.0.1", port: 0 };
  await using acceptor = new NetperfAcceptor({
    ...resolveServeOptions(place),
    onSession: (summary) => told.push(summary),
  });
  await using counting = await serve({ ...place, onOtherProtocol: acceptor.accept });
  const line = `'${NETPERF[0]}' '${NETPERF[1]}' -H 127.0.0.1 -p ${counting.port} -t TCP_STREAM -l 1 -f k`;
  // The seventh line holds the result; its fourth and fifth fields are seconds and 10^3 bits per second.
  const loop = `for i in $(seq ${copies}); do ${line} | awk 'NR == 7 { print $4, $5 }' & done; wait`;
  await using shell = new Program(["sh", "-c", loop]);
  const rows = (await shell.finished).stdout.trim().split("\n");
  expect(rows).toHaveLength(copies);
  const printed = rows
    .map((row) => row.split(" ").map(Number))
    .reduce((sum, [seconds = 0, rate = 0]) => sum + (seconds * rate * 1000) / 8, 0);
  await until(() => told.length === copies, "the server has told of every test");
  const received = told.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
  // Seconds are printed with two digits: half a percent of a test of one second.
  expect(Math.abs(printed / received - 1)).toBeLessThan(0.01);
});

it("is also a command of cnb-load, and says what it cannot do", () => {
  const start = (...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [join(DIST, "main.js"), ...args], { encoding: "utf8", timeout: 30_000 });
  expect(start("netperf", "-V").stdout).toBe("Netperf version 2.7.1\n");
  const { status, stderr } = start("netperf", "-t", "TCP_RR", "--", "-T", "sctp");
  expect([status, stderr]).toEqual([1, "netperf: TCP_RR (Send|Recv) over sctp is not supported by cnb-load\n"]);
});
