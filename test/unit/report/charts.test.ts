import { expect, it } from "vitest";
import { tailCurve } from "../../../src/report/charts.js";
import { loadDraw } from "../../../src/report/draw.js";

const point = (x: number, y: number): [number, number] => [x, y];

it("a legend of several rows stands clear of the chart", async () => {
  const draw = await loadDraw();
  const names = [
    "node",
    "ebpf-host-routing",
    "ebpf-legacy",
    "ebpf-extra-veth",
    "iptables",
    "iptables-notrack",
    "ptp",
    "bridge",
    "macvlan",
    "vxlan",
    "wireguard",
    "ipsec",
  ];
  const chart = tailCurve(
    names.map((name, place) => ({ name, place, points: [point(1, 1000), point(100, 5000)] })),
    String,
  );
  const named = names.join("|");
  const texts = draw(chart).matchAll(new RegExp(`translate\\([\\d.]+ ([\\d.]+)\\)"[^>]*>(${named})<`, "g"));
  const rows = [...texts].map(([, y]) => Number(y));
  expect(rows).toHaveLength(names.length);
  expect(new Set(rows).size).toBeGreaterThan(2);
  const { top } = chart.option.grid as { top: number };
  // The axis' topmost label stands on the chart's upper edge; a line of text is free between the two.
  const line = 12;
  expect(Math.max(...rows) + 2 * line).toBeLessThanOrEqual(top - line / 2);
});
