/** Stock and own clients against stock and own servers: every pair agrees, and what the clients print has one form. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { allOf, command, describeIf } from "../support/requires.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const OWN = {
  netperf: [process.execPath, join(DIST, "netperf-bin.js")],
  netserver: [process.execPath, join(DIST, "netserver-bin.js")],
};
const STOCK = { netperf: ["netperf"], netserver: ["netserver"] };
const sides = { stock: STOCK, own: OWN };
type Side = keyof typeof sides;
const TESTS = ["TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "TCP_CC", "TCP_SENDFILE", "UDP_STREAM", "UDP_RR"];
/** Without data, or without a table. */
const SMALL = ["TCP_MSS", "LOC_CPU", "REM_CPU", "UUID"];

const servers: ChildProcess[] = [];
const ports: Partial<Record<Side, number>> = {};

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

function client(side: Side, server: Side, args: string[]) {
  const [program = "", ...first] = sides[side].netperf;
  const all = [...first, "-H", "127.0.0.1", "-p", String(ports[server]), ...args];
  const { stdout, status } = spawnSync(program, all, { encoding: "utf8", timeout: 50_000 });
  return { stdout, status };
}

/** Numbers as N with their decimals, blanks in front as one; without what a stock build may have or lack. */
function form(text: string): string {
  return text
    .replace(/( : (histogram|interval|demo))+/, "")
    .replace(/(\n\nHistogram of time spent in \w+\(\) call\.|\nHistogram)[^]*?HIST_TOTAL.*\n/, "")
    .replace(/\d\.\d+e\+\d+/, "0")
    .replace(/ *-?\d+(\.\d+)?(?![\w^])/g, (_all, decimals: string | undefined) => ` N${decimals?.length ?? 0}`);
}

/** The form, without what names a run or a program, and what ours knows where a stock one does not; columns as wide as they come. */
function withoutNames(text: string): string {
  const anonymous = text
    .replace(/^(UUID|COMMAND_LINE|LOCAL_CONG_CONTROL)=.*$/gm, "$1=")
    .replace(/[\da-f]{8}-[\da-f-]{27}/g, "UUID")
    .replaceAll("-nan", "0.00");
  return form(anonymous).replace(/ +/g, " ");
}

describeIf(allOf(command("netperf", ["-V"]), command("netserver", ["-V"])))("with a stock netperf", () => {
  beforeAll(async () => {
    for (const side of ["stock", "own"] as const) {
      const port = await freePort();
      ports[side] = port;
      const [program = "", ...first] = sides[side].netserver;
      const server = spawn(program, [...first, "-D", "-4", "-L", "127.0.0.1", "-p", String(port)], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      servers.push(server);
      await once(server.stdout, "data");
    }
  });
  afterAll(() => {
    for (const server of servers) server.kill();
  });

  const pairs = (["stock", "own"] as const).flatMap((from) =>
    (["stock", "own"] as const).map((to) => [from, to] as const),
  );

  it.each(pairs.flatMap(([from, to]) => TESTS.map((test) => [from, to, test] as const)))(
    "%s client, %s server: %s by time and by count",
    (from, to, test) => {
      const timed = client(from, to, ["-t", test, "-l", "1", "-P", "0", "-v", "0"]);
      expect(timed.status).toBe(0);
      expect(Number(timed.stdout)).toBeGreaterThan(0);
      const counted = client(from, to, ["-t", test, "-l", "-200", "-P", "0", "-v", "0"]);
      expect(counted.status).toBe(0);
      expect(Number(counted.stdout)).toBeGreaterThan(0);
    },
  );

  it.each(pairs.flatMap(([from, to]) => SMALL.map((test) => [from, to, test] as const)))(
    "%s client, %s server: %s",
    (from, to, test) => {
      const { stdout, status } = client(from, to, ["-t", test, "-P", "0"]);
      expect(status).toBe(0);
      if (test === "UUID") expect(stdout).toMatch(/^[\da-f-]{36}$/);
      else expect(Number(stdout)).toBeGreaterThan(0);
    },
  );

  const forms = [[], ["-v", "2"], ["-c", "-C"], ["-P", "0", "-v", "0", "-c"], ["-f", "K"], ["-P", "0", "-B", "brand"]];
  const selections = [["-k"], ["-o"], ["-O"], ["-k", "all"], ["-o", "THROUGHPUT,MEAN_LATENCY,UUID"]];
  const selecting = ["TCP_STREAM", "TCP_MAERTS", "TCP_RR", "TCP_CRR", "UDP_STREAM", "UDP_RR", "OMNI"];

  it.each(TESTS.flatMap((test) => forms.map((more) => [test, ...more])))(
    "both clients print %s %s %s %s in one form",
    (test, ...args) => {
      const line = ["-t", test, "-l", "1", ...args];
      const [stock, own] = (["stock", "own"] as const).map((side) => client(side, "own", line));
      expect(form(own!.stdout)).toBe(form(stock!.stdout));
    },
  );

  it.each(selecting.flatMap((test) => selections.map((more) => [test, ...more])))(
    "both clients select alike: %s -- %s %s",
    (test, ...args) => {
      const line = ["-t", test, "-l", "1", "-P", "0", "--", ...args];
      const [stock, own] = (["stock", "own"] as const).map((side) => withoutNames(client(side, "own", line).stdout));
      expect(own).toBe(stock);
    },
  );

  it.each([
    ["-t", "BLAH"],
    ["-I", "50"],
    ["-H", "no-such-host.invalid"],
    ["-t", "TCP_RR", "-F", ",a-name-that-is-too-long-for-its-place"],
    ["-t", "TCP_RR", "--", "-k", "/no/such/file"],
    ["-N", "-t", "TCP_CC", "--", "-P", "0,0"],
  ])("both clients fail alike: %s %s %s %s %s %s", (...line) => {
    const [stock, own] = (["stock", "own"] as const).map((side) => client(side, "own", line));
    expect([own!.status, form(own!.stdout)]).toEqual([stock!.status, form(stock!.stdout)]);
  });

  it("bytes received by the one are bytes sent by the other", () => {
    for (const [from, to] of pairs) {
      const { stdout } = client(from, to, [
        ...[
          "-t",
          "TCP_STREAM",
          "-l",
          "-5000000",
          "-P",
          "0",
          "--",
          "-m",
          "1000",
          "-k",
          "LOCAL_BYTES_SENT,REMOTE_BYTES_RECVD",
        ],
      ]);
      const [sent, received] = [...stdout.matchAll(/=(\d+)/g)].map(([, digits]) => Number(digits));
      expect(sent).toBe(5_000_000);
      expect(received).toBe(sent);
    }
  });
});
