import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/doctor/finding.js";
import { cli, startServer } from "./support.js";

const SEVERITIES = ["severe", "warning", "notice", "unknown", "fine"];

function diagnosisOf(text: string): Diagnosis {
  const diagnosis = JSON.parse(text) as Diagnosis;
  expect(diagnosis.schema).toBe("cnb-load/doctor/1");
  for (const { id, severity, found, why } of diagnosis.client.findings) {
    expect(id).toMatch(/^[a-z-]+$/);
    expect(SEVERITIES).toContain(severity);
    expect(found.length > 0 && why.length > 0).toBe(true);
  }
  return diagnosis;
}

describe("cnb-load doctor", () => {
  it("looks at this host and exits with 0 whatever it finds", async () => {
    const { stdout, stderr, code } = await cli("doctor");
    expect([stderr, code]).toEqual(["", 0]);
    expect(stdout).toMatch(/^this host: /);
    for (const id of ["open-files", "port-range", "clock-source", "steal", "io-uring"]) {
      expect(stdout).toMatch(new RegExp(`^(SEVERE|WARNING|notice|unknown|fine) +${id}: `, "m"));
    }
  });

  it("gives JSON of both ends; a server on this machine is not judged twice", async () => {
    const { server, port } = await startServer();
    await using _ = server;
    const { stdout, stderr, code } = await cli("doctor", "127.0.0.1", "--port", port, "--json");
    expect([stderr, code]).toEqual(["", 0]);
    const { client, server: other, unseen } = diagnosisOf(stdout);
    expect(client.interface).toBe("lo");
    expect(other).toBeUndefined();
    expect(unseen).toEqual(["The server runs on this machine: both ends share what is found here."]);
    // The server is as ready for a test as before.
    const run = await cli(
      "rr",
      "127.0.0.1",
      "--port",
      port,
      "--duration",
      "50ms",
      "--warmup",
      "0",
      "--json",
      "--quiet",
    );
    expect(run.code).toBe(0);
  });

  it("says where no server answers, and exits with 3", async () => {
    const nobody = createServer().listen(0, "127.0.0.1");
    await once(nobody, "listening");
    const { port } = nobody.address() as AddressInfo;
    nobody.close();
    await once(nobody, "close");
    const { stdout, stderr, code } = await cli("doctor", "127.0.0.1", "--port", String(port));
    expect({ stdout, code }).toEqual({ stdout: "", code: 3 });
    expect(stderr).toMatch(/^cnb-load: cannot connect to 127\.0\.0\.1:\d+: ECONNREFUSED[^\n]*\n$/);
  });

  it.each([
    [["h:80"], "HOST: expected a host name or an address"],
    [["h", "--port", "x"], "--port: expected a whole number"],
    [["--port", "5"], "HOST: missing"],
    [["h", "--flows", "3"], "--flows: does not apply to doctor"],
    [["h", "other"], "too many arguments"],
  ])("%j is bad usage", async (args, message) => {
    const { stdout, stderr, code } = await cli("doctor", ...args);
    expect({ stdout, code }).toEqual({ stdout: "", code: 2 });
    expect(stderr).toMatch(/^cnb-load: [^\n]+\n$/);
    expect(stderr).toContain(message);
  });
});
