/** Packets that vanish in one direction, between two hosts: each end believes for a while that the other one is there. */
import { expect, it } from "vitest";
import { describeIf, allOf, command, rootAndNetns } from "../support/requires.js";
import { Resources } from "../support/resources.js";
import { resultOf } from "../support/result-schema.js";
import { Lab } from "../integration/lab.js";
import { FREED_MS } from "./site.js";

const ENDLESS = ["--duration", "10m", "--warmup", "0", "--interval", "50ms"];

/** Drops what comes to the server's host, or what leaves it. */
function drop({ network }: Lab, hook: "input" | "output"): void {
  const rules = `table inet faults { chain drops { type filter hook ${hook} priority 0; policy drop; }\n}\n`;
  network.server.run("nft", rules);
}

describeIf(allOf(rootAndNetns(), command("nft")))("a wire that carries one way", () => {
  it.concurrent.each([
    ["stream", "input"],
    ["stream", "output"],
    ["rr", "input"],
    ["udp-rr", "output"],
  ] as const)("frees both ends of a %s run (%s dropped), and the client has what it measured", async (name, hook) => {
    await using lab = await Lab.start();
    const before = Resources.of(lab.server);
    await using run = lab.client(name, "-P", "2", ...ENDLESS);
    await run.saying("stderr", /(?: s {2}[^\n]*\n[^]*){2}/);
    drop(lab, hook);
    const [{ code, stdout }] = await Promise.all([run.finished, before.restored(FREED_MS)]);
    expect(code).toBe(1);
    const { state, window, intervals } = resultOf({ stdout });
    expect(state).toBe("failed");
    expect(window.durationNs).toBeGreaterThan(0);
    expect(intervals.length).toBeGreaterThan(0);
    lab.network.server.run("nft", "flush", "ruleset");
    expect((await lab.measure(name, "-l", "100ms", "--warmup", "0")).state).toBe("completed");
  });
});
