// What a lab found, for docs/lab-result: README.md with the findings and the machine, a picture of each part of the page, and lab.json.gz.
// Needs the built package and Debian's chromium. Usage: node scripts/lab-result.mjs FOLDER, where FOLDER is what `cnb-load lab --output` left.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { findingsOf, meltdownText, outcomesOf } from "../dist/lab/findings.js";
import { cellsOf } from "../dist/lab/lab.js";

const OUT = fileURLToPath(new URL("../docs/lab-result", import.meta.url));
const EXECUTABLE = "/usr/bin/chromium";
/** Parts of the page, by the beginnings of their headings. */
const PICTURES = {
  stream: "Throughput",
  rr: "Requests and responses",
  crr: "Connections",
  "flame-graphs": "Flame graphs",
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("expected the folder of a lab");
const text = readFileSync(join(folder, "lab.json"));
const lab = JSON.parse(text);
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
writeFileSync(join(OUT, "lab.json.gz"), gzipSync(text, { level: 9 }));
const pictures = await takePictures();
writeFileSync(join(OUT, "README.md"), await readme());

async function takePictures() {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
    const taken = [];
    for (const [name, heading] of Object.entries(PICTURES)) {
      const part = page.locator("section").filter({ has: page.locator("h2", { hasText: heading }) });
      if ((await part.count()) === 0) continue;
      await part.first().screenshot({ path: join(OUT, `${name}.png`) });
      taken.push(name);
    }
    return taken;
  } finally {
    await browser.close();
  }
}

async function readme() {
  const { environment: machine, options, paths } = lab;
  const findings = await findingsOf(lab, cellsOf(options));
  const cell = (value) => String(value ?? "").replaceAll("|", "\\|");
  const table = (head, rows) =>
    [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
  const told = options.tests.map((test) => {
    const picture = pictures.includes(test) ? `![${PICTURES[test]}, by path](${test}.png)\n\n` : "";
    const lines = findings.filter((finding) => finding.test === test).map((finding) => `- ${finding.text}`);
    const melt = test === "crr" && lab.meltdown !== undefined ? `\n\n${meltdownText(lab) ?? ""}` : "";
    return `## ${PICTURES[test]}\n\n${picture}${lines.join("\n")}${melt}`;
  });
  const outcomes = outcomesOf(findings).map(({ claim, flows, outcome, detail }) => [claim, flows, outcome, detail]);
  const runs = Math.max(...lab.measurements.map(({ results }) => results.length));
  const graphs = pictures.includes("flame-graphs")
    ? "\n\n## Flame graphs\n\nThe server's node, with and without the host's stack:\n\n![Flame graphs of the server's node](flame-graphs.png)"
    : "";
  return `# A lab's result

Written by \`node scripts/lab-result.mjs FOLDER\` from what this command left on ${lab.startedAt.slice(0, 10)}, ${runs} runs of each test over each path:

\`\`\`sh
${lab.command}
\`\`\`

Linux ${machine.kernel}, ${machine.cpus} x ${machine.cpuModel}, Node.js ${machine.node}, cnb-load ${machine.version};
${Object.entries(machine.tools)
  .map(([tool, version]) => `${tool}: ${version}`)
  .join(", ")}.
Everything measured is in [lab.json.gz](lab.json.gz); what is compared, and how, is in [the lab](../lab.md).

## What is seen

${table(["the article says", "flows", "here", "figures"], outcomes)}

${table(
  ["path", "state", "variant", "reason"],
  paths.map(({ name, state, variant, reason }) => [name, state, variant, reason]),
)}

${told.join("\n\n")}${graphs}
`;
}
