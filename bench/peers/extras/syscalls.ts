/** System calls per transaction, counted by strace on both ends. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cnbLoad } from "../contenders/cnb-load.js";
import { PEERS } from "../contenders/index.js";
import { LOOPBACK, freePorts } from "../environment.js";
import type { Contender, Setting, Workload } from "../model.js";
import { Subprocess } from "../process.js";
import type { Fact } from "../report.js";
import { onPath } from "../tools.js";
import { type ExtraContext, type ExtraJob, explain, fact } from "./extra.js";

/** Two lengths: the difference has neither start nor end in it. */
const SECONDS = [1, 3] as const;
const ROUNDS = 3;
const DEADLINE_MS = 60_000;
const ENDS = ["client", "server"] as const;
type End = (typeof ENDS)[number];

interface Case {
  what: string;
  who: Contender;
  workload: Workload;
  ours: readonly string[];
  quick: boolean;
}

const base: Workload = { test: "rr", flows: 1, messageBytes: 1, sendBytes: null, close: "server" };
const crr: Workload = { ...base, test: "crr" };

function cases(): Case[] {
  const peer = (name: string): Contender => PEERS.find((one) => one.name === name) as Contender;
  const block = ["--engine", "block"];
  const epoll = ["--engine", "epoll", "--threads", "1"];
  const many = { flows: 32 };
  return [
    { what: "RR, 1 flow, block", who: cnbLoad, workload: base, ours: block, quick: true },
    { what: "RR, 1 flow", who: peer("netperf"), workload: base, ours: [], quick: true },
    { what: "RR, 32 flows, epoll", who: cnbLoad, workload: { ...base, ...many }, ours: epoll, quick: false },
    { what: "RR, 32 flows", who: peer("neper"), workload: { ...base, ...many }, ours: [], quick: false },
    { what: "CRR, 1 flow, block, server closes first", who: cnbLoad, workload: crr, ours: block, quick: true },
    { what: "CRR, 1 flow, server closes first", who: peer("netperf"), workload: crr, ours: [], quick: true },
    {
      what: "CRR, 32 in flight, epoll, server closes first",
      who: cnbLoad,
      workload: { ...crr, ...many },
      ours: epoll,
      quick: false,
    },
  ];
}

/** Calls in the table that `strace -c` writes: the fourth column of its last line. */
export function totalCalls(table: string): number {
  const line = /^.*\btotal$/m.exec(table)?.[0].trim().split(/\s+/);
  const calls = Number(line?.[3] ?? NaN);
  if (!Number.isInteger(calls)) throw new Error("strace wrote no table of calls");
  return calls;
}

type Counted = Record<End | "units", number>;

async function count({ who, workload, ours }: Case, seconds: number, context: ExtraContext): Promise<Counted> {
  const files = { client: join(context.directory, "client.strace"), server: join(context.directory, "server.strace") };
  const traced = (end: End, argv: readonly string[]): string[] => ["strace", "-f", "-c", "-o", files[end], ...argv];
  const { client: cpu, server: otherCpu = cpu } = context.cpus;
  const setting: Setting = {
    ...{ workload, ours, seconds, host: LOOPBACK.host, ports: await freePorts(), cpuCount: context.cpuCount },
    cpus: { client: cpu, server: otherCpu },
    best: false,
  };
  const server = new Subprocess({ argv: traced("server", who.server(setting)) });
  try {
    await server.listening(setting.ports[0]);
    const client = new Subprocess({ argv: traced("client", who.client(setting).argv) });
    const { stdout } = await client.finish(DEADLINE_MS, context.signal).finally(() => client.stop(0));
    await server.stop();
    const { units } = who.read(stdout, setting);
    return {
      client: totalCalls(readFileSync(files.client, "utf8")),
      server: totalCalls(readFileSync(files.server, "utf8")),
      units,
    };
  } finally {
    await server.stop();
  }
}

export const syscalls: ExtraJob = {
  id: "syscalls",
  title: "System calls per transaction (strace), of the whole process",
  async run(context: ExtraContext) {
    const facts: Fact[] = [];
    const faults: string[] = [];
    if (!onPath("strace")) return { facts, faults: ["strace is not on PATH"] };
    const here = [cnbLoad, ...context.peers];
    for (const one of cases().filter(({ quick, who }) => (quick || !context.quick) && here.includes(who))) {
      try {
        const calls: Record<End, number[]> = { client: [], server: [] };
        for (let round = 0; round < (context.quick ? 1 : ROUNDS); round++) {
          const [short, long] = [await count(one, SECONDS[0], context), await count(one, SECONDS[1], context)];
          for (const end of ENDS) calls[end].push((long[end] - short[end]) / (long.units - short.units));
        }
        for (const end of ENDS) facts.push(...fact(`${one.what}: ${end}`, one.who.name, "count", calls[end]));
      } catch (error) {
        context.signal.throwIfAborted();
        faults.push(`${one.who.name}, ${one.what}: ${explain(error)}`);
      }
    }
    return { facts, faults };
  },
};
