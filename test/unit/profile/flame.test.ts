import { expect, it } from "vitest";
import { addUp, flameSvg, foldedText, Folder, samplesOf, speedscope } from "../../../src/profile/flame.js";

/** As `perf script -F comm,cpu,ip,sym` writes it. */
const SCRIPT = `cnb worker  [000] 
	ffffffff81a2b3c4 tcp_v4_rcv
	ffffffff81a2b3c5 ip_rcv+0x12
	    7f06e4104f94 [unknown]

cnb worker  [000] 
	ffffffff81a2b3c4 tcp_v4_rcv
	ffffffff81a2b3c5 ip_rcv+0x34
	    7f06e4104f94 [unknown]

swapper     0 [001] 
	ffffffff81000000 pv_native_safe_halt
	ffffffff81000001 do_idle

swapper  [001] 
	ffffffff81000000 odd<&"frame;name
	ffffffff81000001 __do_softirq
`;

function foldedOf(script: string): Map<number, Map<string, number>> {
  const folder = new Folder();
  for (const line of script.split("\n")) folder.add(line);
  folder.end();
  return folder.byCpu;
}

const folded = foldedOf(SCRIPT);
const client = folded.get(0) ?? new Map<string, number>();
const server = folded.get(1) ?? new Map<string, number>();

it("samples fold to stacks per CPU, outermost first, without those of an idle CPU", () => {
  expect([...client]).toEqual([["cnb worker;[unknown];ip_rcv;tcp_v4_rcv", 2]]);
  expect([...server]).toEqual([['swapper;__do_softirq;odd<&"frame:name', 1]]);
  expect(foldedText(client)).toBe("cnb worker;[unknown];ip_rcv;tcp_v4_rcv 2\n");
  expect(foldedOf("")).toEqual(new Map());
  expect(foldedOf("\n\nno sample\n\n")).toEqual(new Map());
});

it("stacks of several CPUs add up", () => {
  expect(addUp([client, client, server])).toEqual(
    new Map([
      ["cnb worker;[unknown];ip_rcv;tcp_v4_rcv", 4],
      ['swapper;__do_softirq;odd<&"frame:name', 1],
    ]),
  );
});

it("speedscope gets every frame once and every sample", () => {
  const both = new Map([...client, ...server, ["swapper;__do_softirq", 4]]);
  const file = JSON.parse(speedscope(both, "name")) as {
    shared: { frames: { name: string }[] };
    profiles: { samples: number[][]; weights: number[]; endValue: number }[];
  };
  const names = file.shared.frames.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const [profile] = file.profiles;
  expect(profile?.samples.map((stack) => stack.map((frame) => names[frame]).join(";"))).toEqual([...both.keys()]);
  expect(profile?.weights.reduce((sum, weight) => sum + weight)).toBe(samplesOf(both));
  expect(profile?.endValue).toBe(7);
});

it("the graph is escaped, and as wide as its samples", () => {
  const svg = flameSvg(new Map([...client, ...server]), "a < b");
  expect(svg).toContain("a &#60; b");
  expect(svg).toContain("odd&#60;&#38;&#34;frame:name: 1 samples, 33.33 %");
  expect(svg).toContain("ip_rcv: 2 samples, 66.67 %");
  expect(svg).toMatch(/width="800\.0"/);
  expect(svg).not.toMatch(/NaN|<script/);
  expect(flameSvg(new Map(), "nothing")).toContain("nothing");
});
