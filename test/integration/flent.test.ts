/** flent as Debian ships it, with our netperf on its PATH, from one host to the other: its result file holds the data. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Network } from "../support/netns.js";
import { Program } from "../support/program.js";
import { allOf, command, describeIf, rootAndNetns } from "../support/requires.js";

const DIST = join(import.meta.dirname, "../../dist/cli");
const SECONDS = 2;
const STEP = 0.2;

/** What the tests below read of a data file. */
interface FlentData {
  x_values: number[];
  results: Record<string, (number | null)[]>;
  metadata: { SERIES_META: Record<string, Record<string, unknown>> };
}

describeIf(allOf(rootAndNetns(), command("flent", ["--version"]), command("fping", ["-v"])))("flent", () => {
  const folder = mkdtempSync(join(tmpdir(), "cnb-load-flent-"));
  let network: Network;
  let server: Program;

  beforeAll(async () => {
    symlinkSync(join(DIST, "netperf-bin.js"), join(folder, "netperf"));
    network = new Network();
    const netserver = [process.execPath, join(DIST, "netserver-bin.js"), "-D", "-p", "12865"];
    server = new Program(netserver, { prefix: network.server.prefix });
    await server.saying("stdout", /^Starting netserver/);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    network[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  async function flent(test: string, ...args: string[]): Promise<FlentData> {
    const path = `PATH=${folder}:${process.env["PATH"] ?? ""}`;
    const [host = ""] = network.server.ipv4;
    const data = mkdtempSync(join(folder, "data-"));
    const options = ["-H", host, "-l", String(SECONDS), "-d", "0", "-s", String(STEP), "-D", data, ...args];
    await using run = new Program(["env", path, "flent", test, ...options], { prefix: network.client.prefix });
    const { code, stderr } = await run.finished;
    expect(code, stderr).toBe(0);
    const [file = ""] = readdirSync(data);
    return JSON.parse(gunzipSync(readFileSync(join(data, file))).toString()) as FlentData;
  }

  /** The series reaches over the test, and nothing in it is made up. */
  function expectSeries({ results, metadata }: FlentData, name: string): void {
    const values = results[name]?.filter((value) => value !== null) ?? [];
    expect(values.length, name).toBeGreaterThan(SECONDS / STEP / 2);
    for (const value of values) expect(value).toBeGreaterThanOrEqual(0);
    expect(metadata.SERIES_META[name]?.["MEAN_VALUE"], name).toBeGreaterThan(0);
  }

  it.each([
    ["tcp_upload", "TCP upload"],
    ["tcp_download", "TCP download"],
  ])("%s", async (test, series) => {
    const data = await flent(test);
    expectSeries(data, series);
    const facts = data.metadata.SERIES_META[series];
    expect(facts).toMatchObject({
      CONG_CONTROL: expect.stringMatching(/^[a-z]+$/) as string,
      TCPI_RTT: expect.any(Number) as number,
    });
    if (test === "tcp_upload") expect(facts?.["BYTES_RECVD"]).toBe(facts?.["BYTES_SENT"]);
  });

  it("rrul: four streams each way, marked, and round trips over UDP beside them", async () => {
    const data = await flent("rrul");
    for (const marking of ["BE", "BK", "CS5", "EF"]) {
      for (const direction of ["upload", "download"]) expectSeries(data, `TCP ${direction} ${marking}`);
    }
    for (const marking of ["BE", "BK", "EF"]) {
      const name = `Ping (ms) UDP ${marking}`;
      expect(
        data.results[name]?.some((value) => value !== null && value > 0),
        name,
      ).toBe(true);
      expect(data.metadata.SERIES_META[name]?.["MEAN_VALUE"], name).toBeGreaterThan(0);
    }
    expect(data.metadata.SERIES_META["TCP upload EF"]).toMatchObject({ UPSTREAM_TOS: 0xb8, DOWNSTREAM_TOS: 0xb8 });
  });
});
