import { describe, expect, it } from "vitest";
import { appliesTo } from "../../src/options/names.js";
import type { Command, Row } from "../../src/options/row.js";
import { accessTable, runTable, serveTable } from "../../src/options/table.js";
import manifest from "../../package.json" with { type: "json" };
import { cli } from "./support.js";

describe.concurrent("wrong words on the command line", () => {
  it.each([
    ["rr", "HOST: missing"],
    ["rr h --flow 3", "--flow: unknown option; did you mean --flows?"],
    ["rr h --frobnicate", "--frobnicate: unknown option"],
    ["rr h -x", "-x: unknown option"],
    ["rr h --flows", "--flows: expected a value, got none"],
    ["rr h --flows x", '--flows: expected a whole number from 1 to 1000000, got "x"'],
    ["rr h -P 0", '--flows: expected a whole number from 1 to 1000000, got "0"'],
    ["rr h --flows 1000001", "--flows: expected"],
    ["rr h --duration 0", '--duration: expected a time from 1ms to 168h such as 10s, 500ms or 1m30s, got "0"'],
    ["rr h -l=5x", "--duration: expected a time"],
    ["stream h --send-size 1KB", "--send-size: expected auto or a whole number of bytes"],
    ["rr h --cpus 1,1", "--cpus: expected a list of distinct CPU numbers"],
    ["rr h --cpus 3-1", "--cpus: expected a list of distinct CPU numbers"],
    ["rr h --no-delay maybe", "--no-delay: expected on or off"],
    ["rr h --engine turbo", "--engine: expected one of auto, block, epoll, spin, uring"],
    ["rr h --rate fast", "--rate: expected 0 or a whole number per second from 1 to 1G such as 1000/s"],
    ["rr h --spacing constant", "--spacing: constant says how a rate is spaced, and none was given"],
    ["rr h --bandwidth 1G", "--bandwidth: does not apply to rr, only to stream, maerts"],
    ["stream h --bandwidth 100MB", "--bandwidth: expected 0 or a whole number of bits per second from 1k to 100T"],
    ["rr h --close server", "--close: does not apply to rr, only to crr"],
    ["stream h --request 1", "--request: does not apply to stream, only to rr, crr"],
    ["rr h --max-flows 3", "--max-flows: does not apply to rr, only to server"],
    ["rr h -4 -6", "-4 and -6 exclude each other"],
    ["rr ::1 -4", "-4, -6: IPv4 was asked for, but ::1 is an IPv6 address"],
    ["rr h:80", "HOST: expected a host name or an address (the port is an option of its own)"],
    ["rr h other", '"other": too many arguments; usage: cnb-load rr HOST [options]'],
    ["compare a.json", "NEW: missing; usage: cnb-load compare BASE NEW [options]"],
    ["compare a b c d", '"c" "d": too many arguments; usage: cnb-load compare BASE NEW [options]'],
    ["report", "usage: cnb-load report FILE... [options]"],
    ["rr h --tls-cert x", "--tls-cert: needs the certificate's key in --tls-key"],
    ["stream h -t 10", "-t: unknown option; what iperf3 calls -t is --duration"],
    ["-c h", "-c: unknown option; what iperf3 calls -c is the word after the command: cnb-load stream HOST"],
    ["stream h -R", "-R: unknown option; what iperf3 calls -R is cnb-load maerts HOST"],
    ["TCP_STREAM h", 'unknown command "TCP_STREAM"; did you mean stream?'],
    ["tcp-maerts h", "did you mean maerts?"],
    ["TCP_RR h", "did you mean rr?"],
    ["TCP_CRR h", "did you mean crr?"],
    ["UDP_STREAM h", "did you mean udp-stream?"],
    ["UDP_RR h", "did you mean udp-rr?"],
    ["rr h --engine block --flows 2000", "--flows: engine block runs at most 1024 flows"],
    ["server --flows 3", "--flows: does not apply to server"],
    ["server --allow 10.0.0.0/40", "--allow: expected networks or addresses"],
    ["server --port 65536", "--port: expected a whole number from 0 to 65535"],
    ["server somewhere", '"somewhere": too many arguments; usage: cnb-load server [options]'],
    ["rr h --json /no/such/r.json", '--json: expected a file that can be written, got "/no/such/r.json" (ENOENT: '],
    ["rr h --json=/", '--json: expected a file that can be written, got "/" (it is a folder)'],
    ["--json=/no/such/r.json", "--json: expected a file that can be written"],
    ["suite h --output /no/such/r.json", "--output: expected a file that can be written"],
    ["report x --output /no/such/r.txt", "--output: expected a file that can be written"],
    ["rr h --profile /proc/none", '--profile: expected a folder that can be written, got "/proc/none" (ENOENT: '],
    ["server --profile /dev/null", '--profile: expected a folder that can be written, got "/dev/null" (EEXIST: '],
    ["sever", 'unknown command "sever"; did you mean server?'],
    ["bench h", 'unknown command "bench"; expected one of'],
    ["--flows 3", "--flows: does not apply to cnb-load"],
  ])("%s: exit code 2 and one line that names the option", async (line, message) => {
    const { stdout, stderr, code } = await cli(...line.split(" "));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^cnb-load: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});

describe.concurrent("help", () => {
  it.each(["stream", "maerts", "rr", "crr", "server"] as Command[])(
    "of %s lists its options and no others",
    async (name) => {
      const { stdout, stderr, code } = await cli(name, "--help");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const table = name === "server" ? serveTable : { ...runTable, ...accessTable };
      const flags = Object.values<Row>(table)
        .filter((row) => appliesTo(row, name))
        .flatMap((row) => row.flags.match(/(?<![\w<])--?[\w-]+/g) ?? []);
      const own = name === "server" ? ["--user"] : ["--json", "--ndjson"];
      const listed = [...stdout.matchAll(/^ {2}(-\S+?)(?:, (-\S+))?(?= )/gm)].flatMap(([, first, second]) => [
        first,
        second,
      ]);
      expect(listed.filter((flag) => flag !== undefined).toSorted()).toEqual(
        [...flags, ...own, "--profile", "--quiet", "-h", "--help"].toSorted(),
      );
    },
  );

  it("of cnb-load names the commands and the exit codes", async () => {
    const { stdout, code } = await cli("--help");
    expect(code).toBe(0);
    for (const name of ["stream", "maerts", "rr", "crr", "server"])
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    expect(stdout).toContain("Exit codes: 0 done, 1 the run failed, 2 bad usage");
  });

  it("gives the version of the package", async () => {
    const { stdout, code } = await cli("--version");
    expect([stdout, code]).toEqual([`${manifest.version}\n`, 0]);
  });
});
