// What a lab found, for docs/lab-result: README.md with the findings and the machine, a picture of each part of the page, and lab.json.gz.
// Needs the built package and Debian's chromium. Usage: npm run docs:lab -- FOLDER, where FOLDER is what `cnb-load lab --output` left.
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
const TESTS = { stream: "Throughput", rr: "Requests and responses", crr: "Connections" };

/** Columns of the table of flame graphs: what a stack goes through. */
const PLACES = {
  "eBPF at tc": /^(cls_bpf_classify|tcx_run|tc_run|tcf_classify|skb_do_redirect)/,
  "forwarding by the host (ip_forward)": /^ip_forward$/,
  "netfilter hooks": /^(nf_hook_slow|nf_conntrack_|nft_do_chain|ipt_do_table)/,
  "of these conntrack": /^nf_conntrack_/,
  "of these chains": /^(nft_do_chain|ipt_do_table)/,
  "a CPU's backlog queue (process_backlog)": /^process_backlog$/,
};

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("expected the folder of a lab");
const lab = JSON.parse(readFileSync(join(folder, "lab.json"), "utf8"));
// Where it was written on that machine says nothing to others.
lab.command = lab.command.replace(/ --output \S+/, "");
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT);
writeFileSync(join(OUT, "lab.json.gz"), gzipSync(JSON.stringify(lab), { level: 9 }));
const pictures = await takePictures();
writeFileSync(join(OUT, "README.md"), await readme());

async function takePictures() {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox", "--disable-gpu"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    await page.goto(pathToFileURL(join(folder, "index.html")).href);
    const taken = [];
    const take = async (name, part) => {
      if ((await part.count()) === 0) return;
      await part.screenshot({ path: join(OUT, `${name}.png`) });
      taken.push(name);
    };
    const section = (heading) => page.locator("section").filter({ has: page.locator("h2", { hasText: heading }) });
    for (const [test, heading] of Object.entries(TESTS)) {
      await take(test, section(heading).locator(".cards").first());
    }
    await take("melt-down", section(TESTS.crr).locator(".cards").nth(1));
    await take("flame-graphs", section("Flame graphs"));
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
    const picture = pictures.includes(test) ? `![${TESTS[test]}, by path](${test}.png)\n\n` : "";
    const lines = findings.filter((finding) => finding.test === test).map((finding) => `- ${finding.text}`);
    const melt =
      test === "crr" && pictures.includes("melt-down")
        ? `\n\n### Conntrack melt-down\n\n![Connections by fill of the table](melt-down.png)\n\n${meltdownText(lab) ?? ""}`
        : "";
    return `## ${TESTS[test]}\n\n${picture}${lines.join("\n")}${melt}`;
  });
  const outcomes = outcomesOf(findings).map(({ claim, flows, outcome, detail }) => [claim, flows, outcome, detail]);
  const runs = Math.max(...lab.measurements.map(({ results }) => results.length));
  const shares = lab.flameGraphs
    .filter(({ side }) => side === "server")
    .map(({ path, cell: { test }, folded }) => [path, test, ...sharesOf(folded)]);
  const shareTable = `Samples of the server node's CPU, N flows, in percent of all (a sample counts in each column that its stack goes through):

${table(["path", "test", ...Object.keys(PLACES)], shares)}`;
  const graphs = pictures.includes("flame-graphs")
    ? `\n\n## Flame graphs\n\n${shareTable}\n\nWith and without the host's stack:\n\n![Flame graphs of the server's node](flame-graphs.png)`
    : "";
  return `# A lab's result

Written by \`npm run docs:lab -- FOLDER\` from what this command left on ${lab.startedAt.slice(0, 10)}, ${runs} runs of each test over each path:

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

function sharesOf(file) {
  const stacks = readFileSync(join(folder, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const at = line.lastIndexOf(" ");
      return { frames: line.slice(0, at).split(";"), samples: Number(line.slice(at + 1)) };
    });
  const sum = (some) => some.reduce((total, { samples }) => total + samples, 0);
  return Object.values(PLACES).map((place) => {
    const through = stacks.filter(({ frames }) => frames.some((frame) => place.test(frame)));
    return ((100 * sum(through)) / sum(stacks)).toFixed(1);
  });
}
