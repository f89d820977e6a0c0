import { createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Cli, cli, startServer } from "./support.js";

const QUICK = ["--duration", "200ms", "--warmup", "50ms"];

describe("cnb-load server", () => {
  it("says on one line where it listens and ends cleanly on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { server } = await startServer();
      await using _ = server;
      server.child.kill(signal);
      const { stdout, stderr, code } = await server.finished;
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^cnb-load server listening on 127\.0\.0\.1:\d+\n$/);
    }
  });

  it("puts IPv6 addresses in brackets", async () => {
    await using server = new Cli(["server", "--host", "::1", "--port", "0"]);
    await server.saying("stdout", /^cnb-load server listening on \[::1\]:\d+\n$/);
    await using everywhere = new Cli(["server", "--port", "0"]);
    await everywhere.saying("stdout", /^cnb-load server listening on (\[::\]|0\.0\.0\.0):\d+\n$/);
  });

  it("logs one line per session and ends after one with --once", async () => {
    const { server, port } = await startServer("--once");
    await using _ = server;
    const client = await cli("rr", "127.0.0.1", "--port", port, ...QUICK);
    expect(client.code).toBe(0);
    const { stdout, stderr, code } = await server.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [, line, ...rest] = stdout.split("\n");
    expect(line).toMatch(/^127\.0\.0\.1: tcp_rr, 1 flow, 0\.\d s, \S+ ?k?\/s, completed$/);
    expect(rest).toEqual([""]);
  });

  it("logs refusals, and with --quiet nothing but where it listens", async () => {
    for (const quiet of [[], ["--quiet"]]) {
      const { server, port } = await startServer("--max-flows", "2", ...quiet);
      await using _ = server;
      const client = await cli("rr", "127.0.0.1", "--port", port, "--flows", "3", ...QUICK);
      expect(client.code).toBe(4);
      expect(client.stderr).toMatch(/^cnb-load: the server: [^\n]*flows[^\n]*2[^\n]*\n$/);
      if (quiet.length === 0) await server.saying("stdout", /\n127\.0\.0\.1: [^\n]*refused: [^\n]*flows[^\n]*\n/);
      server.child.kill("SIGTERM");
      const { stdout } = await server.finished;
      expect(stdout.trim().split("\n")).toHaveLength(quiet.length === 0 ? 2 : 1);
    }
  });

  it("says so when the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const { stdout, stderr, code } = await cli("server", "--host", "127.0.0.1", "--port", port);
    other.close();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^cnb-load: cannot listen on 127\.0\.0\.1, port \d+: EADDRINUSE[^\n]*\n$/);
  });

  it("refuses CPUs that it may not use, naming the option", async () => {
    const { stderr, code } = await cli("server", "--port", "0", "--cpus", "8191");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^cnb-load: --cpus: [^\n]*8191[^\n]*\n$/);
  });
});
