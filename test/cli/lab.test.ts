/** `cnb-load lab`: many paths for a moment each, everything that may go wrong, and a host that is afterwards what it was. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabDocument } from "../../src/lab/index.js";
import { isAlive } from "../support/processes.js";
import { Program } from "../support/program.js";
import { allOf, command, describeIf, requirement, rootAndNetns } from "../support/requires.js";
import { until } from "../support/until.js";
import { Cli, cli } from "./support.js";

const MAIN = join(import.meta.dirname, "../../dist/cli/main.js");
const MOMENT = ["--runs", "2", "-l", "100ms", "--warmup", "50ms", "--flows", "4", "--no-meltdown"];
const MANY =
  "node,ebpf-host-routing,ebpf-legacy,ebpf-extra-veth,iptables,iptables-notrack,ptp,bridge,macvlan,vxlan".split(",");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "cnb-load-lab-test-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const labNamespaces = (): string[] =>
  existsSync("/run/netns") ? readdirSync("/run/netns").filter((name) => name.startsWith("cnblab-")) : [];

const foldersOf = (pid: number): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`cnblab-${pid}-`));

const namespacesOf = (pid: number): string[] => labNamespaces().filter((name) => name.startsWith(`cnblab-${pid}-`));

/** Processes in a lab's namespaces. */
function pidsIn(names: readonly string[]): number[] {
  const said = names.map((name) => spawnSync("ip", ["netns", "pids", name], { encoding: "utf8" }).stdout);
  return said.join("\n").split("\n").filter(Boolean).map(Number);
}

describe("usage", () => {
  it.each([
    [["--paths", "node,bridg"], /--paths: unknown "bridg"; did you mean bridge\?/],
    [["--paths", "nonsense"], /--paths: unknown "nonsense"; expected some of node,/],
    [["--tests", "udp"], /--tests: unknown "udp"; expected some of stream,rr,crr/],
    [["--mtu", "100"], /--mtu: expected a whole number from 1280 to 65535, got "100"/],
    [["--duration", "soon"], /--duration: expected a time such as 5s/],
    [["--cpus", "0"], /--cpus: expected two CPUs/],
    [["--flows", "0"], /--flows: expected a whole number from 1/],
    [["clear"], /lab: expected nothing or clean, got "clear"/],
  ])("%j is refused", async (args, message) => {
    const { code, stderr } = await cli("lab", ...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it("needs root, and says so", async () => {
    const script = "data:text/javascript,process.getuid=()=>1000";
    const words = [process.execPath, "--import", script, MAIN, "lab", "--output", join(folder, "user")];
    await using program = new Program(words);
    const { code, stderr } = await program.finished;
    expect(stderr).toMatch(/lab: making network namespaces needs root/);
    expect(code).toBe(1);
  });

  it("refuses a folder that cannot be made before anything is built", async () => {
    writeFileSync(join(folder, "file"), "");
    const { code, stderr } = await cli("lab", "--output", join(folder, "file/folder"));
    expect(stderr).toMatch(/--output: cannot make/);
    expect(code).toBe(1);
  });
});

/** Everything below a folder of /proc/sys that can be read, but what counts or differs from reading to reading. */
function settings(path: string): [string, string][] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry): [string, string][] => {
    const file = join(path, entry.name);
    if (entry.isDirectory()) return settings(file);
    if (/_count$|random|rss_key/.test(entry.name)) return [];
    try {
      return [[file, readFileSync(file, "utf8")]];
    } catch {
      return [];
    }
  });
}

/** What of the host a lab must leave alone. */
function hostState(): Record<string, string> {
  const commands = [
    ["iptables-save"],
    ["nft", "list", "ruleset"],
    ["ip", "route", "show", "table", "all"],
    ["ip", "rule"],
    ["ip", "-details", "address"],
    ["ip", "-details", "link"],
    ["tc", "qdisc"],
  ];
  return Object.fromEntries(
    commands.map(([file = "", ...args]) => {
      const { stdout, error } = spawnSync(file, args, { encoding: "utf8" });
      expect(error, file).toBeUndefined();
      // Comments have the time, lifetimes run down, default policies count packets.
      const steady = stdout
        .replace(/^#.*$/gm, "")
        .replace(/_lft \w+/g, "")
        .replace(/\[\d+:\d+\]/g, "");
      return [[file, ...args].join(" "), steady];
    }),
  );
}

const tools = allOf(
  rootAndNetns(),
  ...["iptables", "nft", "tc", "clang"].map((name) => command(name, ["-V"])),
  requirement("CNI plugins in /usr/lib/cni", existsSync("/usr/lib/cni/bridge")),
);

describeIf(tools)("a lab", () => {
  it("measures every path, proves each, and leaves the host as it was", async () => {
    hostState(); // Asking for rules may itself load a module.
    const [before, knobs] = [hostState(), settings("/proc/sys/net")];
    const output = join(folder, "many");
    const args = [
      "--paths",
      MANY.join(),
      "--tests",
      "stream,crr",
      "--output",
      output,
      "--json",
      "--services",
      "3",
      "--policies",
      "2",
      "--quiet",
    ];
    const { code, stdout, stderr } = await cli("lab", ...MOMENT, ...args);
    expect(code, stderr).toBe(0);
    expect(hostState()).toEqual(before);
    const after = new Map(settings("/proc/sys/net"));
    expect(knobs.filter(([file, value]) => after.has(file) && after.get(file) !== value)).toEqual([]);

    const document = JSON.parse(stdout) as LabDocument;
    expect(document).toMatchObject({ schema: "cnb-load/lab/1", state: "completed" });
    expect(document.paths.map(({ name, state, reason }) => [name, state, reason])).toEqual(
      MANY.map((name) => [name, "measured", undefined]),
    );
    for (const { evidence } of document.paths) expect(evidence.join()).toMatch(/packets over the wire/);
    expect(document.measurements).toHaveLength(MANY.length * 4);
    for (const { results, test, flows } of document.measurements) {
      expect(results).toHaveLength(2);
      for (const result of results) {
        expect(result).toMatchObject({ state: "completed", test: `tcp_${test}` });
        expect(result.flows).toHaveLength(flows);
      }
    }
    expect(readdirSync(output).sort()).toEqual(
      ["index.html", "lab.json", ...MANY.map((name) => `${name}.json`)].sort(),
    );
    const page = readFileSync(join(output, "index.html"), "utf8");
    for (const name of MANY) expect(page).toContain(`<h3>${name}</h3>`);
    const compared = await cli("compare", join(output, "iptables.json"), join(output, "ebpf-legacy.json"));
    expect(compared.stdout, compared.stderr).toMatch(/^crr, 4 flows: 2 runs against 2 runs$/m);
  }, 120_000);

  // What stderr says tells how far the lab has come.
  it.each([
    ["while it builds", /^node: stands$/m],
    ["while it measures", /^run 1 of \d+, crr/m],
    ["while connection tracking melts down", /melt-down: table 0 %/],
  ])("interrupted %s leaves nothing behind", async (_when, moment) => {
    const args = ["--paths", "node,iptables,bridge", "--runs", "2", "-l", "200ms", "--warmup", "0", "--tests", "crr"];
    await using lab = new Cli(["lab", ...args, "--output", join(folder, "interrupted")]);
    await lab.saying("stderr", moment);
    const inside = pidsIn(namespacesOf(lab.pid));
    lab.child.kill("SIGINT");
    expect((await lab.finished).code).toBe(130);
    expect(namespacesOf(lab.pid)).toEqual([]);
    expect(inside.filter(isAlive)).toEqual([]);
    expect(foldersOf(lab.pid)).toEqual([]);
  });

  it("that was killed is removed by lab clean, and only that", async () => {
    const args = [
      "lab",
      "--paths",
      "node",
      "--tests",
      "rr",
      "-l",
      "1m",
      "--flows",
      "1",
      "--output",
      join(folder, "killed"),
    ];
    await using living = new Cli(args);
    await using killed = new Cli(args);
    for (const lab of [living, killed]) await lab.saying("stderr", /^run 1 of/m);
    const inside = pidsIn(namespacesOf(killed.pid));
    expect(inside.length).toBeGreaterThan(0);
    killed.child.kill("SIGKILL");
    await killed.finished;
    // Its processes end with it, without being told.
    await until(() => !inside.some(isAlive), "the killed lab's processes are gone");
    expect(namespacesOf(killed.pid)).not.toEqual([]);
    const { code, stdout } = await cli("lab", "clean");
    expect(code).toBe(0);
    expect(stdout).toContain(`removed cnblab-${killed.pid}-`);
    expect(namespacesOf(killed.pid)).toEqual([]);
    expect(foldersOf(killed.pid)).toEqual([]);
    expect(namespacesOf(living.pid)).not.toEqual([]);
    living.child.kill("SIGINT");
    expect((await living.finished).code).toBe(130);
    expect((await cli("lab", "clean")).stdout).not.toContain(`cnblab-${living.pid}-`);
  });

  it("records flame graphs of both nodes with perf", async () => {
    // perf is not to be had everywhere: here it is a script that says what perf would have said.
    const stacks = "cnb  [000] \n\tffff tcp_v4_rcv\n\tffff ip_rcv\n\ncnb  [001] \n\tffff tcp_sendmsg\n";
    const record = 'case "$1" in record) exec sleep 0.1 ;; script) cat "$0.said" ;; *) echo perf 6 ;; esac';
    const bin = mkdtempSync(join(folder, "bin-"));
    writeFileSync(join(bin, "perf"), `#!/bin/sh\n${record}\n`, { mode: 0o755 });
    writeFileSync(join(bin, "perf.said"), stacks);
    const output = join(folder, "profiled");
    const args = ["--paths", "node", "--tests", "rr", "--cpus", "0,1", "--profile", "--output", output, "--quiet"];
    const words = [
      "env",
      `PATH=${bin}:${process.env["PATH"] ?? ""}`,
      process.execPath,
      MAIN,
      "lab",
      ...MOMENT,
      ...args,
    ];
    await using lab = new Program(words);
    const { code, stderr } = await lab.finished;
    expect(code, stderr).toBe(0);
    const { flameGraphs, profileProblem } = JSON.parse(readFileSync(join(output, "lab.json"), "utf8")) as LabDocument;
    expect(profileProblem).toBeUndefined();
    expect(flameGraphs.map(({ side, samples }) => [side, samples])).toEqual([
      ["client", 1],
      ["server", 1],
    ]);
    const [client, server] = flameGraphs;
    expect(readFileSync(join(output, client?.folded ?? ""), "utf8")).toBe("cnb;ip_rcv;tcp_v4_rcv 1\n");
    expect(readFileSync(join(output, server?.svg ?? ""), "utf8")).toContain("tcp_sendmsg: 1 samples, 100.00 %");
    expect(readFileSync(join(output, "index.html"), "utf8")).toContain(client?.speedscope ?? "missing");
  });

  it("goes on without a path that fails and without one that lacks something", async () => {
    writeFileSync(join(folder, "iptables-restore"), "#!/bin/sh\necho no rules today >&2\nexit 1\n", { mode: 0o755 });
    const paths = ["--paths", "node,iptables,bridge", "--tests", "rr", "--output", join(folder, "partly")];
    const words = [process.execPath, MAIN, "lab", ...MOMENT, ...paths, "--json"];
    // A mount namespace of its own, in which the plugins are hidden.
    const script = 'mount -t tmpfs none /usr/lib/cni && PATH="$0:$PATH" exec "$@"';
    await using lab = new Program(["unshare", "-m", "sh", "-c", script, folder, ...words]);
    const { code, stdout, stderr } = await lab.finished;
    expect(code, stderr).toBe(0);
    const { paths: reports, measurements } = JSON.parse(stdout) as LabDocument;
    expect(reports).toMatchObject([
      { name: "node", state: "measured" },
      { name: "iptables", state: "failed", reason: expect.stringContaining("no rules today") as string },
      { name: "bridge", state: "unavailable", reason: "not available here: install containernetworking-plugins" },
    ]);
    expect(new Set(measurements.map(({ path }) => path))).toEqual(new Set(["node"]));
    expect(namespacesOf(lab.pid)).toEqual([]);
  });
});

const encryption = allOf(
  rootAndNetns(),
  ...["wg", "wireguard-go", "tcpdump", "ipsec"].map((name) => command(name)),
  requirement("/dev/net/tun", existsSync("/dev/net/tun")),
  requirement("strongSwan's kernel-libipsec", existsSync("/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so")),
);

describeIf(encryption)("encrypted paths", () => {
  it("are proven to be unreadable, and say which variant they are", async () => {
    const args = ["--paths", "wireguard,ipsec", "--tests", "rr", "--output", join(folder, "encrypted"), "--json"];
    await using lab = new Cli(["lab", ...MOMENT, ...args]);
    const { code, stdout, stderr } = await lab.finished;
    expect(code, stderr).toBe(0);
    const { paths, measurements } = JSON.parse(stdout) as LabDocument;
    for (const { name, state, variant, evidence, reason } of paths) {
      expect([name, state, reason]).toEqual([name, "measured", undefined]);
      expect(variant).toMatch(/^(kernel|user space \(.+\))$/);
      expect(evidence[0]).toMatch(/saw [1-9]\d* packets of (WireGuard|ESP) and 0 that show TCP or a pod's address/);
    }
    expect(measurements.map(({ results }) => results.length)).toEqual([2, 2, 2, 2]);
    expect(namespacesOf(lab.pid)).toEqual([]);
  });
});
