/** The command line itself: commands, options, help. What a command does is imported when it runs. */
import { Command } from "commander";
import { TESTS } from "../options/names.js";
import type { TestName } from "../options/resolved.js";
import type { Command as CommandName, RunCommand } from "../options/row.js";
import { accessTable, runTable, serveTable } from "../options/table.js";
import { packageVersion } from "../result/version.js";
import { addTableOptions, type Values } from "./flags.js";
import { jsonOption } from "./json-option.js";
import { profileOption } from "./profile-option.js";

const TEST_HELP: Record<RunCommand, string> = {
  stream: "TCP_STREAM: bulk throughput from this host to the server",
  maerts: "TCP_MAERTS: bulk throughput from the server to this host",
  rr: "TCP_RR: requests and responses on standing connections, rate and latency",
  crr: "TCP_CRR: a new connection for every request, rate and latency",
  cc: "TCP_CC: connections opened and closed without a byte, rate and latency",
  "udp-stream": "UDP_STREAM: datagrams to the server, throughput and loss",
  "udp-rr": "UDP_RR: requests and responses of one datagram each, rate, latency and loss",
};

const NOTATION = `
Sizes are in bytes; K, M, G (or Ki, Mi, Gi) are powers of 1024. Rates and bit rates take k, M, G,
powers of 1000. Times are in seconds, or take ms, s, m, h, as in 1m30s.
`;

const JSON_HELP = `
--json alone writes one JSON document to stdout and nothing else there; with a file, the table is
printed as well. The word after --json is the file unless the command needs it as HOST; --json=FILE
leaves no doubt, and - is stdout. Progress and warnings go to stderr.
`;

const NDJSON_HELP = `
--ndjson writes {"event":"start","spec":...}, {"event":"interval","interval":...} as often as
--interval says, {"event":"run","run":N,"result":...} for each of several runs, and at the end
{"event":"result","result":...}, {"event":"error","code":...,"message":...}, or both.
`;

const EXIT_CODES = `
Exit codes: 0 done, 1 the run failed, 2 bad usage, 3 could not reach the server, 4 refused by the
server (busy, token, limits), 130 interrupted, after printing what was measured so far.
`;

const OVERVIEW = `
Without a command, cnb-load runs stream, rr and crr against a server of its own on loopback (about
15 s) and prints one table. To measure a network, start \`cnb-load server\` on one host and name it on
the other:

  cnb-load stream 10.0.0.2 --duration 30s
  cnb-load rr 10.0.0.2 --flows 32 --json
  cnb-load crr 10.0.0.2 --cpus 2-5

With --json the loopback tests give { "schema": "cnb-load/results/1", "results": [...] }, one result
per run. \`cnb-load COMMAND --help\` lists the options of a command.
`;

const SUITE_HELP = `
The presets run stream, maerts, rr and crr, each with one flow and with N: --flows, or as many as
--cpus names, or as this process may use. An option given here goes to every run whose test takes
it, before what a matrix says. The file is written after every run; after an interruption the same
command with --output FILE does what is left.
`;

const REPORT_HELP = `
Runs are named after their file's label (suite --label), or after the file. The html page is whole in
itself and can be opened without a network.

Exit codes: 0 done, 1 could not write, 2 bad usage or a file that holds no results.
`;

const COMPARE_HELP = `
Results are matched by test, flows and whatever options tell them apart within a file; several
results of the same test count as its runs. Rates, CPU and percentiles of repeated tests (--runs)
are compared by Welch's t over the runs; percentiles of single runs by a bootstrap of their
histograms. A regression counts as shown when the whole confidence interval lies beyond the
percentage; docs/comparing.md has the method.

Exit codes: 0 done, 1 a regression is shown (or writing failed), 2 bad usage, a file that holds no
results, or two with nothing in common.
`;

const DOCTOR_HELP = `
Looks at limits, CPUs and the network interface of this host: with HOST the interface on the way
there, else that of the default route. Of HOST, which must run \`cnb-load server\`, it reports what
the server tells of itself, and what cannot be seen from here. Nothing is changed and no traffic is
made. It takes about a second. The word after --json is HOST unless that was named before;
--json=FILE leaves no doubt.

Exit codes: 0 done, whatever was found, 1 could not write, 2 bad usage, 3 could not reach the
server, 4 refused by the server.
`;

const LAB_HELP = `
Builds two nodes with a pod on each out of network namespaces, once for every path, measures TCP_STREAM,
TCP_RR and TCP_CRR over all of them in turn, and writes a page (index.html), lab.json and one file of results per
path, which report and compare read. Needs root. What a path needs and is not installed is named; the other
paths are measured. Everything stays within the namespaces and goes with the command, also on Ctrl-C; the
kernel may load modules that it then keeps. cnb-load lab clean removes what a killed lab left. docs/lab.md has
what each path is made of.

Exit codes: 0 done, 1 nothing could be measured or writing failed, 2 bad usage, 130 interrupted, after
writing what was measured so far.
`;

const COMPLETION_HELP = `
For this session, or as a line of ~/.bashrc or ~/.zshrc (after compinit):

  source <(cnb-load completion bash)
  source <(cnb-load completion zsh)
  cnb-load completion fish > ~/.config/fish/completions/cnb-load.fish
`;

/** Called with the exit code that a command ended with. */
export type OnEnd = (exitCode: number) => void;

export function buildProgram(onEnd: OnEnd): Command {
  const program = new Command("cnb-load")
    .description(
      "Network load generator: TCP and UDP streams, requests and connections between two hosts, or on loopback",
    )
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .option(runTable.interval.flags, "print a line of live figures as often as this")
    .addOption(jsonOption())
    .option("--quiet", "no progress and no warnings")
    .addHelpText("after", OVERVIEW + EXIT_CODES)
    .action(async (values: Values) => onEnd(await (await import("./self.js")).selfCommand(values)));
  addServer(program, onEnd);
  for (const [test, name] of Object.entries(TESTS)) addTest(program, name, test as TestName, onEnd);
  addSuite(program, onEnd);
  addReport(program, onEnd);
  addCompare(program, onEnd);
  addDoctor(program, onEnd);
  addLab(program, onEnd);
  addCompletion(program, onEnd);
  // Their arguments are netperf's: main.ts runs them; here they are for the list of commands.
  program.command("netperf").description("netperf's command line (also cnb-netperf)").helpOption(false);
  program.command("netserver").description("netserver's command line (also cnb-netserver)").helpOption(false);
  return program;
}

function addSuite(program: Command, onEnd: OnEnd): void {
  const command = addCommand(program, "suite", "a whole matrix of tests, every run in one file of results");
  command
    .argument("<HOST>", "name or address of the server")
    .option("--preset <name>", "tests with 1 and N flows: cni (10 s a run) or quick (under a minute) [default: cni]")
    .option("--matrix <file>", "run the matrix of a JSON or YAML file (cnb-load/schema/matrix.json describes it)")
    .option("--label <text>", "what is measured, such as cilium-1.18; reports name the runs after it")
    .option("--output <file>", "file of results; runs that it holds already are skipped [default: a new one]")
    .option("--settle <time>", "pause between runs [default: none, but where TIME_WAIT needs one]");
  addTableOptions(command, runTable);
  addTableOptions(command, accessTable);
  command
    .option("--quiet", "no progress and no warnings")
    .addHelpText("after", NOTATION + SUITE_HELP + EXIT_CODES)
    .action(async (host: string) => {
      onEnd(await (await import("./suite.js")).suiteCommand(host, command.optsWithGlobals()));
    });
}

function addReport(program: Command, onEnd: OnEnd): void {
  const command = addCommand(
    program,
    "report",
    "a report of saved results: text, a line per run, markdown, csv or html",
  );
  command
    .argument("<FILE...>", "results as --json or suite wrote them")
    .option("--format <name>", "text, line, markdown, csv or html [default: text]")
    .option("--output <file>", "write the report into a file [default: stdout]")
    .addHelpText("after", REPORT_HELP)
    .action(async (files: string[]) => {
      onEnd(await (await import("./report.js")).reportCommand(files, command.optsWithGlobals()));
    });
}

function addCompare(program: Command, onEnd: OnEnd): void {
  const command = addCommand(program, "compare", "whether two sets of results differ, with confidence intervals");
  command
    .argument("<BASE>", "results as --json or suite wrote them")
    .argument("<NEW>", "results to compare with them")
    .option(
      "--fail-on-regression <percent>",
      "exit with 1 when a metric is shown to be worse by at least this, such as 3%",
    )
    .option("--confidence <percent>", "confidence level of the intervals, 50% to 99% [default: 95%]")
    .addOption(jsonOption())
    .addHelpText("after", COMPARE_HELP)
    .action(async (base: string, next: string) => {
      onEnd(await (await import("./compare.js")).compareCommand(base, next, command.optsWithGlobals()));
    });
}

function addDoctor(program: Command, onEnd: OnEnd): void {
  const command = addCommand(program, "doctor", "what on this host will spoil a measurement, and how to mend it");
  command.argument("[HOST]", "name or address of the server");
  addTableOptions(command, { port: runTable.port, family: runTable.family, ...accessTable });
  command
    .addOption(jsonOption())
    .addHelpText("after", DOCTOR_HELP)
    .action(async (host: string | undefined) => {
      onEnd(await (await import("./doctor.js")).doctorCommand(host, command.optsWithGlobals()));
    });
}

function addLab(program: Command, onEnd: OnEnd): void {
  const command = addCommand(program, "lab", "the data paths of container networks compared on this machine alone");
  command
    .argument("[clean]", "remove what a killed lab left, and do nothing else")
    .option("--quick", "less than 5 minutes in all: up to 5 runs of 250ms [default: 5 runs of 5s]")
    .option("--paths <list>", "paths to compare, separated by commas [default: all]")
    .option("--tests <list>", "of stream, rr and crr [default: all]")
    .option("--runs <n>", "runs of each test over each path, interleaved")
    .option("-l, --duration <time>", "length of each window")
    .option("--warmup <time>", "traffic before each window that counts for nothing")
    .option("-P, --flows <n>", "N of 1 and N flows [default: 32]")
    .option("--mtu <bytes>", "of the wire and the pods [default: 1500]")
    .option("--services <n>", "length of the list of services in the iptables paths [default: 100]")
    .option("--policies <n>", "length of the list of policies in the iptables paths [default: 10]")
    .option("--cpus <list>", "the client node's CPU and the server node's [default: the first two allowed]")
    .option("--no-meltdown", "leave out TCP_CRR against a connection tracking table that fills up")
    .option("--profile", "record flame graphs of every path with perf, in windows of their own")
    .option("--output <folder>", "folder of the page and the results [default: a new one]")
    .addOption(jsonOption())
    .option("--quiet", "no progress and no warnings")
    .addHelpText("after", LAB_HELP)
    .action(async (action: string | undefined) => {
      onEnd(await (await import("./lab.js")).labCommand(action, command.optsWithGlobals()));
    });
}

function addCompletion(program: Command, onEnd: OnEnd): void {
  addCommand(program, "completion", "what a shell needs to complete cnb-load's commands and options")
    .argument("<SHELL>", "bash, zsh or fish")
    .addHelpText("after", COMPLETION_HELP)
    .action(async (shell: string) => {
      onEnd(await (await import("./completion.js")).completionCommand(shell, program));
    });
}

function addTest(program: Command, name: RunCommand, test: TestName, onEnd: OnEnd): void {
  const command = addCommand(program, name, TEST_HELP[name]).argument("<HOST>", "name or address of the server");
  addTableOptions(command, runTable, name);
  addTableOptions(command, accessTable, name);
  command
    .addOption(jsonOption())
    .addOption(profileOption("the window"))
    .option("--ndjson", "write events to stdout in place of the table, a JSON value per line, while the test runs")
    .option("--quiet", "no progress and no warnings")
    .addHelpText("after", NOTATION + JSON_HELP + NDJSON_HELP + EXIT_CODES)
    .action(async (host: string) => {
      const { testCommand } = await import("./test.js");
      onEnd(await testCommand(test, host, command.optsWithGlobals()));
    });
}

function addServer(program: Command, onEnd: OnEnd): void {
  const command = addCommand(program, "server", "wait for clients, run their half of the tests");
  addTableOptions(command, serveTable, "server");
  command
    .addOption(profileOption("the window of each session"))
    .option("--user <name>", "become this user, with no other privileges, as soon as the port is open")
    .option("--quiet", "no line per session")
    .addHelpText("after", `${NOTATION}\nIt says on one line where it listens, and ends on SIGINT or SIGTERM.\n`)
    .action(async () => onEnd(await (await import("./server.js")).serverCommand(command.optsWithGlobals())));
}

function addCommand(
  program: Command,
  name: CommandName | "suite" | "report" | "compare" | "doctor" | "lab" | "completion",
  help: string,
): Command {
  return program.command(name).description(help).helpOption("-h, --help", "print this help");
}
