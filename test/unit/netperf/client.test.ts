/** netperf's command line against a server that says what a stock one once said. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { netperf } from "../../../src/netperf/index.js";
import { SELECTORS } from "../../../src/netperf/output/selectors.js";
import { decode } from "../../../src/netperf/wire/fields.js";
import { type OmniRequest, omniRequest } from "../../../src/netperf/wire/omni.js";
import { fakeEnvironment } from "../../fakes/environment.js";
import { capture } from "./captures.js";
import { type Ran, portOf, runAgainst } from "./recorded-server.js";

const TRANSCRIPTS = join(import.meta.dirname, "../../netperf/transcripts");
const transcript = (name: string): string => readFileSync(join(TRANSCRIPTS, `${name}.txt`), "utf8");

/** Against the recorded server; every run is a short one. */
async function run(name: string, ...args: string[]): Promise<Ran & { requests: OmniRequest[] }> {
  const ran = await runAgainst(capture(name), ["-l", "200ms", ...args]);
  return { ...ran, requests: ran.messages.map((message) => decode(omniRequest, message)) };
}

/** Numbers as N, blanks in front of them as one: the form of a line. Blanks at its end stay. */
function form(text: string): string {
  return text.replace(/ *-?\d[\d.]*(?![\w^])/g, " N");
}

const tests = [
  ["TCP_STREAM", "tcp_stream"],
  ["TCP_MAERTS", "tcp_maerts"],
  ["TCP_RR", "tcp_rr"],
  ["TCP_CRR", "tcp_crr"],
  ["UDP_STREAM", "udp_stream"],
  ["UDP_RR", "udp_rr"],
] as const;

describe.each(tests)("%s", (test, name) => {
  it("prints the classic table, line by line", async () => {
    const { code, out, err } = await run(name, "-t", test.toLowerCase());
    // The transcript was made by a build without these, and numbers its lines.
    const expected = transcript(`plain_${test}`).replace(/^ +\d+\t/gm, "");
    expect(form(out.replace(" : histogram : interval : demo", "")).trimEnd()).toBe(form(expected).trimEnd());
    expect([code, err]).toEqual([0, ""]);
  });
});

describe("output", () => {
  it("is one bare number with -P 0 -v 0", async () => {
    expect((await run("tcp_rr", "-t", "TCP_RR", "-P", "0", "-v", "0")).out).toMatch(/^\d+\.\d\d \n$/);
  });

  it("knows every documented selector, in the documented order", async () => {
    const names = /^OUTPUT_NONE,.*$/m.exec(transcript("selectors_list"))?.[0].split(",");
    expect(SELECTORS.map(([name]) => name)).toEqual(names);
    const { code, out } = await run("tcp_rr", "--", "-k", "?");
    expect([code, out.trim().split(",")]).toEqual([1, names]);
  });

  it("has selectors by any case, blanks and commas, and drops unknown ones with a note", async () => {
    const { out, err } = await run("tcp_rr", "-t", "TCP_RR", "-P", "0", "--", "-k", "throughput, Foo P99_LATENCY");
    expect(out).toMatch(/^THROUGHPUT=\d+\.\d\d\nP99_LATENCY=1\n$/);
    expect(err).toContain("unknown output selector Foo");
  });

  it("is CSV with -o and columns with -O", async () => {
    const csv = await run("tcp_stream", "-t", "TCP_STREAM", "--", "-o", "THROUGHPUT,THROUGHPUT_UNITS,DIRECTION");
    expect(csv.out.split("\n").slice(1)).toEqual([
      "Throughput,Throughput Units,Direction",
      expect.stringMatching(/^\d+\.\d\d,10\^6bits\/s,Send$/) as string,
      "",
    ]);
    const human = await run("tcp_stream", "-t", "TCP_STREAM", "-P", "1", "--", "-O", "LSS_SIZE_END,THROUGHPUT_UNITS");
    expect(
      human.out
        .split("\n")
        .slice(1, 5)
        .map((line) => line.trimEnd()),
    ).toEqual(["Local       Throughput", "Send Socket Units", "Size", "Final"]);
  });

  it("reports interim results in each style", async () => {
    const args = ["-t", "TCP_RR", "-P", "0", "-D", "0.05"];
    expect((await run("tcp_rr", ...args)).out).toMatch(
      /^Interim result: +\d+\.\d\d Trans\/s over \d\.\d{3} seconds ending at \d+\.\d{3}\n/,
    );
    const keyval = (await run("tcp_rr", ...args, "--", "-k", "THROUGHPUT")).out;
    expect(keyval).toMatch(
      /^NETPERF_INTERIM_RESULT\[0\]=.*\nNETPERF_UNITS\[0\]=Trans\/s\nNETPERF_INTERVAL\[0\]=.*\nNETPERF_ENDING\[0\]=.*\nNETPERF_INTERIM_RESULT\[1\]/,
    );
  });

  it("warns when the confidence was not reached, after as many iterations as allowed, on the port of the first", async () => {
    const { out, requests } = await run("tcp_rr", "-t", "TCP_RR", "-P", "0", "-I", "99,0.0000001", "-i", "3,3");
    expect(out).toMatch(/^!!! WARNING\n!!! Desired confidence was not achieved within the specified iterations\.\n/);
    expect(requests.map(({ dataPort }) => dataPort)).toEqual([0, 36_621, 36_621]);
  });

  it("has CPU columns with -c and -C, and what the server measured", async () => {
    const { out, requests } = await run(
      "tcp_rr_cpu",
      "-t",
      "TCP_RR",
      "-C",
      "-P",
      "0",
      "--",
      "-k",
      "REMOTE_CPU_METHOD,LOCAL_CPU_METHOD",
    );
    expect(out).toBe("REMOTE_CPU_METHOD=S\nLOCAL_CPU_METHOD=U\n");
    expect(requests[0]!.flags & 0x8).toBe(0x8);
  });
});

describe("command lines of other programs", () => {
  /** Arguments of a transcript's first line, without its place, and what followed. */
  const recorded = (name: string): { args: string[]; printed: string } => {
    const [first = "", ...lines] = transcript(name).split("\n");
    const args = first.slice(first.indexOf("./netperf ") + "./netperf ".length).split(" ");
    const place = args.findIndex((arg, index) => arg === "-p" && index < args.indexOf("--"));
    if (place >= 0) args.splice(place, 2);
    args.splice(args.indexOf("-H"), 2);
    return { args, printed: lines.slice(0, lines.indexOf("rc=0")).join("\n") + "\n" };
  };

  it("cilium's: a line of CSV", async () => {
    const { args, printed } = recorded("cilium_stream");
    const { code, out, err } = await run("tcp_stream", ...args);
    expect([code, err, form(out)]).toEqual([0, "", form(printed)]);
  });

  it("flent's: interim results, and what it knows of the connection", async () => {
    const { args, printed } = recorded("flent_stream");
    const { code, out, err } = await run("tcp_stream", ...args);
    const names = (text: string): string[] => [...text.matchAll(/^[A-Z_]+(?=[[=])/gm)].map(([name]) => name);
    const selected = (text: string): string[] => names(text).filter((name) => !name.startsWith("NETPERF_"));
    expect([code, err]).toEqual([0, ""]);
    expect(new Set(names(out))).toEqual(new Set(names(printed)));
    expect(selected(out)).toEqual(selected(printed));
  });
});

describe("failures", () => {
  it("no such host in that family", async () => {
    let out = "";
    const code = await netperf(
      ["-4", "-H", "::1"],
      { out: (text) => (out += text), err: () => undefined },
      { interrupt: new AbortController().signal, environment: fakeEnvironment() },
    );
    expect(code).toBe(255);
    expect(out).toMatch(
      /^resolve_host: could not resolve host '::1' port '\(null\)' af AF_INET\n\tgetaddrinfo returned /,
    );
    expect(out).toMatch(/Netperf could not resolve ::1 as a host name\n$/);
  });

  it("nobody listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const port = portOf(server);
    server.close();
    await once(server, "close");
    let out = "";
    const code = await netperf(
      ["-H", "127.0.0.1", "-p", String(port)],
      { out: (text) => (out += text), err: () => undefined },
      { interrupt: new AbortController().signal, environment: fakeEnvironment() },
    );
    expect(code).toBe(255);
    const expected = transcript("err_refused").split("\n").slice(1, 3).join("\n");
    expect(out.trimEnd()).toBe(expected.replaceAll("port 1?", `port ${port}?`).replaceAll("port 1 ", `port ${port} `));
  });

  it("the server closes instead of answering", async () => {
    const { code, err } = await run("passphrase_missing", "-t", "TCP_RR");
    expect([code, err]).toEqual([1, "recv_response: partial response received: 0 bytes\n"]);
  });
});
