/** The HTML pages as a browser shows them: those of real runs, at phone and desk width, light and dark. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli, startServer } from "../cli/support.js";
import { command, describeIf } from "../support/requires.js";

/** Of Debian's package; playwright asks for a whole path. */
const EXECUTABLE = "/usr/bin/chromium";
const WIDTHS = [
  ["phone", { width: 390, height: 844 }],
  ["desk", { width: 1440, height: 900 }],
] as const;
const SCHEMES = ["light", "dark"] as const;

/** Runs in the page and tells what is wrong with it. */
const INSPECT = readFileSync(join(import.meta.dirname, "inspect.js"), "utf8");

describeIf(command(EXECUTABLE))("in Chromium", () => {
  let folder = "";
  let browser: Browser | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cnb-load-test-"));
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu"] });
    await measureTwice();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Two networks, so to speak, each with all tests of a suite and the repetitions that whiskers need. */
  async function measureTwice(): Promise<void> {
    const runs = [
      { test: "tcp_stream" },
      { test: "tcp_stream", flows: 2 },
      { test: "tcp_rr", runs: 2 },
      { test: "tcp_rr", flows: 4, runs: 2 },
      { test: "tcp_crr" },
      { test: "udp_stream", bandwidth: "50M" },
    ];
    const defaults = { duration: "300ms", warmup: 0, interval: "100ms" };
    writeFileSync(join(folder, "m.json"), JSON.stringify({ defaults, runs }));
    const { server, port } = await startServer();
    await using _ = server;
    for (const label of ["A", "B"]) {
      const output = join(folder, `${label}.json`);
      const matrix = ["--matrix", join(folder, "m.json"), "--output", output, "--label", label];
      const { code, stderr } = await cli("suite", "127.0.0.1", "-p", port, "--quiet", ...matrix);
      expect(code, stderr).toBe(0);
    }
    const files = ["A", "B"].map((label) => join(folder, `${label}.json`));
    const one = await cli("report", files[0]!, "--format", "html", "--output", join(folder, "one.html"));
    const two = await cli("report", ...files, "--format", "html", "--output", join(folder, "two.html"));
    expect([one.code, two.code]).toEqual([0, 0]);
  }

  async function open(file: string, page: Page): Promise<string[]> {
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("request", (request) => {
      const url = request.url();
      if (url !== pathToFileURL(file).href && !url.startsWith("data:")) said.push(`asked for ${url}`);
    });
    await page.goto(pathToFileURL(file).href);
    return said;
  }

  for (const name of ["one", "two"]) {
    for (const [device, viewport] of WIDTHS) {
      for (const colorScheme of SCHEMES) {
        it(`a report of ${name === "one" ? "one network" : "two networks"} is whole and legible: ${device}, ${colorScheme}`, async () => {
          const page = await browser!.newPage({ viewport, colorScheme });
          const said = await open(join(folder, `${name}.html`), page);
          expect(said).toEqual([]);
          expect(await page.locator('[role="img"]').count()).toBeGreaterThan(8);
          // Tables behind the charts may be scrolled, not the page.
          for (const table of await page.locator("details > summary").all()) await table.click();
          expect(await page.evaluate(INSPECT)).toEqual([]);
          await page.close();
        });
      }
    }
  }
});
