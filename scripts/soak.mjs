/**
 * `npm run soak [-- --docs]`: sessions of every test, engine and kind of client, side by side, some of them aborted, for CNB_LOAD_SOAK_SECONDS
 * (1800) or until SIGINT, on one server and one client process that live throughout. Now and then everything pauses, and what the two processes
 * hold of the kernel is counted. Fails where a session fails (of those that lost their peer, which a machine that is overloaded may
 * leave unheard for four seconds, where more than one in a hundred does), where descriptors, threads or sockets are ever more than at the first pause, or where
 * memory grows: the median of the last quarter of the pauses is more than 16 MiB above that of the second (32 MiB in less than 10 minutes). --docs writes the figures
 * and a plot into docs/.
 */
import { fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = join(import.meta.dirname, "..");
const DOC = join(ROOT, "docs/reliability.md");
const PLOT = join(ROOT, "docs/soak.svg");
const MARKS = ["<!-- soak -->", "<!-- /soak -->"];
const seconds = Number(process.env.CNB_LOAD_SOAK_SECONDS ?? 1800);
/** Between two pauses. */
const STRETCH_MS = Math.max(2000, (seconds / 180) * 1000);
/** In the first minutes a process grows with what it does for the first time. */
const GROWTH_BYTES = (seconds < 600 ? 32 : 16) * 1024 * 1024;
const HOST = "127.0.0.1";
/** V8's young generation would grow for minutes with what it is used for, and hide what does not go. */
const V8 = ["--max-semi-space-size=1"];
const COUNTED = ["descriptors", "threads", "sockets"];

/** Numerical Recipes' generator: the same sessions each time. */
function randomizer(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

// --- the client's process -------------------------------------------------------------------------------------------------------

async function beClient(port) {
  const { run } = await import("../dist/index.js");
  const tests = ["tcp_stream", "tcp_maerts", "tcp_rr", "tcp_crr", "tcp_cc", "udp_stream", "udp_rr"];
  const engines = ["block", "epoll", "spin", "uring"];
  const netperfTests = ["TCP_RR", "TCP_STREAM", "TCP_MAERTS", "TCP_CRR", "UDP_RR", "UDP_STREAM"];
  const counts = { completed: 0, aborted: 0, netperf: 0, lost: 0 };
  const failures = [];

  async function session(random) {
    const test = tests[random(tests.length)];
    const udp = test.startsWith("udp");
    const options = {
      ...{ test, host: HOST, port, engine: engines[random(udp ? 3 : 4)], flows: 1 + random(4) },
      ...{ warmup: `${random(30)}ms`, duration: `${20 + random(200)}ms`, interval: "20ms" },
    };
    const signal = random(6) === 0 ? AbortSignal.timeout(random(200)) : undefined;
    try {
      counts[(await run(options, { signal })).state]++;
    } catch (error) {
      if (error.code === "ERR_PEER_LOST") counts.lost++;
      else failures.push(`${JSON.stringify(options)}: ${error.code} ${error.message}`);
    }
  }

  async function netperf(random) {
    const main = join(ROOT, "dist/cli/netperf-bin.js");
    const test = netperfTests[random(netperfTests.length)];
    const args = ["-H", HOST, "-p", String(port), "-t", test, "-l", "1", "-P", "0"];
    const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    const [code] = await once(child, "close");
    if (code === 0) counts.netperf++;
    else failures.push(`netperf ${args.join(" ")}: ${code} ${said.trim()}`);
  }

  const randoms = [1, 2, 3].map(randomizer);
  process.on("message", async (forMs) => {
    const until = performance.now() + forMs;
    const lane = async (work, random) => {
      do await work(random);
      while (performance.now() < until);
    };
    await Promise.all([lane(session, randoms[0]), lane(session, randoms[1]), lane(netperf, randoms[2])]);
    process.send({ counts, failures: failures.splice(0) });
  });
}

// --- what watches ---------------------------------------------------------------------------------------------------------------

function heldBy(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name) => Number.parseInt(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? "NaN", 10);
  const { stdout } = spawnSync("ss", ["-H", "-a", "-n", "-p", "-t", "-u"], { encoding: "utf8", maxBuffer: 1 << 28 });
  return {
    bytes: field("RssAnon") * 1024,
    threads: field("Threads"),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    sockets: stdout.split("\n").filter((line) => line.includes(`,pid=${pid},`)).length,
  };
}

/** What is left of a session's end goes within moments: the least of some looks. */
async function settled(pid, first) {
  let held = heldBy(pid);
  for (let look = 0; look < 50 && first !== undefined && COUNTED.some((what) => held[what] > first[what]); look++) {
    await delay(100);
    held = heldBy(pid);
  }
  return held;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function judge(name, samples) {
  const problems = COUNTED.flatMap((what) => {
    const most = Math.max(...samples.map((sample) => sample[what]));
    const [first] = samples;
    return most > first[what] ? [`${name}: ${most} ${what}, ${first[what]} at the first pause`] : [];
  });
  const quarter = (which) => {
    const part = samples.slice(
      Math.floor((which * samples.length) / 4),
      Math.floor(((which + 1) * samples.length) / 4),
    );
    return median(part.map(({ bytes }) => bytes));
  };
  const growth = quarter(3) - quarter(1);
  if (growth > GROWTH_BYTES) problems.push(`${name}: grew by ${(growth / 2 ** 20).toFixed(1)} MiB`);
  return { problems, growth };
}

// --- the figures ----------------------------------------------------------------------------------------------------------------

function plot(points) {
  const [width, height, left, top, bottom] = [720, 260, 48, 24, 36];
  const lines = [
    { name: "server, MiB", color: "#1f6feb", of: ({ server }) => server.bytes / 2 ** 20 },
    { name: "client, MiB", color: "#d1680a", of: ({ client }) => client.bytes / 2 ** 20 },
    { name: "server's descriptors", color: "#57606a", of: ({ server }) => server.descriptors },
    { name: "server's threads", color: "#2f8f4e", of: ({ server }) => server.threads },
  ];
  const most = Math.ceil((1.1 * Math.max(...lines.flatMap(({ of }) => points.map(of)))) / 20) * 20;
  const end = points.at(-1).atS;
  const x = (atS) => (left + (atS / end) * (width - left - 12)).toFixed(1);
  const y = (value) => (height - bottom - (value / most) * (height - bottom - top)).toFixed(1);
  const text = (at, up, words, anchor = "middle") =>
    `<text x="${at}" y="${up}" text-anchor="${anchor}" fill="#57606a">${words}</text>`;
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...ticks.map((part) => `<path d="M${left} ${y(part * most)}H${width - 12}" stroke="#d8dee4"/>`),
    ...ticks.map((part) => text(left - 6, Number(y(part * most)) + 4, Math.round(part * most), "end")),
    ...ticks.map((part) => text(x(part * end), height - bottom + 16, `${((part * end) / 60).toFixed(1)} min`)),
    ...lines.map(({ color, of }) => {
      const path = points.map((point) => `${x(point.atS)},${y(of(point))}`).join(" ");
      return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    }),
    ...lines.map(({ name, color }, at) => `<text x="${left + at * 165}" y="14" fill="${color}">${name}</text>`),
    "</svg>\n",
  ].join("\n");
}

function table(points, counts, growths) {
  const [first, last] = [points[0], points.at(-1)];
  const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  const row = (name) => {
    const most = (what) => Math.max(...points.map((point) => point[name][what]));
    const counted = COUNTED.map((what) => `${first[name][what]} / ${most(what)} / ${last[name][what]}`);
    const memory = `${mib(first[name].bytes)} / ${mib(most("bytes"))} / ${mib(last[name].bytes)}`;
    return `| ${[name, ...counted, memory, mib(growths[name])].join(" | ")} |`;
  };
  const { completed, aborted, netperf, lost } = counts;
  return [
    `${(last.atS / 60).toFixed(1)} minutes, ${points.length} pauses: ${completed} sessions completed, ${aborted} aborted on purpose,`,
    `${netperf} of netperf's clients, ${lost} lost. First / most / last, at the pauses:`,
    "",
    `| process | ${COUNTED.join(" | ")} | memory, MiB | growth, MiB |`,
    "|---|---|---|---|---|---|",
    row("server"),
    row("client"),
  ].join("\n");
}

function writeDocs(text, svg) {
  const doc = readFileSync(DOC, "utf8");
  const [start, end] = MARKS.map((mark) => doc.indexOf(mark));
  if (start < 0 || end < 0) throw new Error(`${DOC} lacks ${MARKS.join(" and ")}`);
  writeFileSync(DOC, `${doc.slice(0, start + MARKS[0].length)}\n\n${text}\n\n![](soak.svg)\n\n${doc.slice(end)}`);
  writeFileSync(PLOT, svg);
}

async function soak() {
  const main = join(ROOT, "dist/cli/main.js");
  const server = spawn(process.execPath, [...V8, main, "server", "--host", HOST, "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  const listening = new Promise((resolve, reject) => {
    server.stdout.setEncoding("utf8").on("data", (text) => {
      // Then a line for each session.
      if (said.includes("\n")) {
        for (const line of text.split("\n").filter((one) => one.includes("silent"))) console.error(`server: ${line}`);
        return;
      }
      said += text;
      const port = /:(\d+)\n/.exec(said)?.[1];
      if (port !== undefined) resolve(port);
    });
    server.on("close", () => reject(new Error("the server ended")));
  });
  listening.catch(() => undefined);
  const client = fork(fileURLToPath(import.meta.url), ["client", await listening], { execArgv: V8 });
  const gone = Promise.race([once(server, "close"), once(client, "close")]).then(() => {
    throw new Error("the server or the client's process ended");
  });
  gone.catch(() => undefined);
  const points = [];
  let counts = {};
  const failures = [];
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  let enough = false;
  process.once("SIGINT", () => (enough = true));
  try {
    while (elapsed() < seconds && !enough) {
      client.send(STRETCH_MS);
      const [report] = await Promise.race([once(client, "message"), gone]);
      counts = report.counts;
      failures.push(...report.failures);
      for (const failure of report.failures) console.error(`failed: ${failure}`);
      points.push({
        atS: elapsed(),
        server: await settled(server.pid, points[0]?.server),
        client: await settled(client.pid, points[0]?.client),
      });
      if (process.stderr.isTTY) process.stderr.write(`\r${Math.round(elapsed())} s, ${JSON.stringify(counts)} `);
    }
  } finally {
    server.kill();
    client.kill();
  }
  const judged = {
    server: judge(
      "server",
      points.map((one) => one.server),
    ),
    client: judge(
      "client",
      points.map((one) => one.client),
    ),
  };
  const problems = [...judged.server.problems, ...judged.client.problems];
  const text = table(points, counts, { server: judged.server.growth, client: judged.client.growth });
  console.log(text);
  if (failures.length > 0) problems.push(`${failures.length} sessions failed`);
  if (counts.lost > counts.completed / 100) problems.push(`${counts.lost} sessions lost their peer`);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--docs")) writeDocs(text, plot(points));
}

if (process.argv[2] === "client") await beClient(Number(process.argv[3]));
else await soak();
