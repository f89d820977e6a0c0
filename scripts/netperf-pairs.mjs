// Every test with every pair of stock and own client and server over loopback, interleaved; writes the medians between the markers of
// docs/netperf.md, or prints them with --print. Needs netperf and netserver on PATH, and the built package.
// Usage: node scripts/netperf-pairs.mjs [--print] [ROUNDS]
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const DOC = fileURLToPath(new URL("../docs/netperf.md", import.meta.url));
const START = "<!-- pairs -->";
const END = "<!-- /pairs -->";
const SECONDS = 2;
const bin = (name) => [process.execPath, fileURLToPath(new URL(`../dist/cli/${name}-bin.js`, import.meta.url))];
const CLIENTS = { stock: ["netperf"], own: bin("netperf") };
const SERVERS = { stock: ["netserver"], own: bin("netserver") };
const TESTS = [
  ["TCP_STREAM", "Mbit/s"],
  ["TCP_MAERTS", "Mbit/s"],
  ["TCP_SENDFILE", "Mbit/s"],
  ["UDP_STREAM", "Mbit/s received"],
  ["TCP_RR", "1/s"],
  ["UDP_RR", "1/s"],
  ["TCP_CRR", "1/s"],
  ["TCP_CC", "1/s"],
];

const print = process.argv.includes("--print");
const rounds = Number(process.argv.slice(2).find((arg) => /^\d+$/.test(arg)) ?? 3);
const servers = [];
try {
  const ports = { stock: await start("stock"), own: await start("own") };
  const pairs = Object.keys(CLIENTS).flatMap((client) => Object.keys(SERVERS).map((server) => [client, server]));
  const lines = [
    `| test | ${pairs.map((pair) => pair.join(" / ")).join(" | ")} |`,
    `|---${"|---".repeat(pairs.length)}|`,
  ];
  for (const [test, unit] of TESTS) {
    const rates = pairs.map(() => []);
    for (let round = 0; round < rounds; round++) {
      pairs.forEach(([client, server], index) => rates[index].push(measure(client, ports[server], test)));
    }
    lines.push(`| ${test}, ${unit} | ${rates.map(cell).join(" | ")} |`);
    console.error(lines.at(-1));
  }
  if (print) console.log(lines.join("\n"));
  else write(lines.join("\n"));
} finally {
  for (const server of servers) server.kill();
}

async function start(side) {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  const [program, ...first] = SERVERS[side];
  const args = [...first, "-D", "-4", "-L", "127.0.0.1", "-p", String(port)];
  const server = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  servers.push(server);
  await once(server.stdout, "data");
  return port;
}

/** What a person reads in the table: of UDP_STREAM that is the receiver's line. */
function measure(client, port, test) {
  const [program, ...first] = CLIENTS[client];
  const args = [
    ...first,
    "-H",
    "127.0.0.1",
    "-p",
    String(port),
    "-t",
    test,
    "-l",
    String(SECONDS),
    "-T",
    "0,1",
    "-P",
    "0",
  ];
  const output = execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [first_, second] = output.trim().split("\n");
  return Number((test === "UDP_STREAM" ? second : first_).trim().split(/\s+/).at(-1));
}

/** The median, and the span. */
function cell(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const whole = (value) => Math.round(value).toLocaleString("en");
  const half = sorted.length / 2;
  const median = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  return `${whole(median)} (${whole(sorted[0])}-${whole(sorted.at(-1))})`;
}

function write(table) {
  const text = readFileSync(DOC, "utf8");
  const start = text.indexOf(START);
  const end = text.indexOf(END);
  if (start < 0 || end < start) throw new Error(`${DOC}: expected the markers ${START} and ${END}, in this order`);
  writeFileSync(DOC, `${text.slice(0, start)}${START}\n\n${table}\n\n${text.slice(end)}`);
}
