import { describe, expect, it, vi } from "vitest";
import { errorLine, exitCodeOf } from "../../src/cli/exit-codes.js";
import { jsonTarget, settleJson } from "../../src/cli/json-option.js";
import { allowedCpus, placeFlowPerCpu, placeOneFlow } from "../../src/cli/placement.js";
import { userNamed } from "../../src/cli/privileges.js";
import { buildProgram } from "../../src/cli/program.js";
import { CnbLoadError } from "../../src/errors.js";
import { invalidOption } from "../../src/options/spec.js";

describe("--json [file]", () => {
  const program = buildProgram(() => undefined);

  it.each([
    ["rr --json host", "rr --json= host"],
    ["rr host --json", "rr host --json="],
    ["rr host --json out.json", "rr host --json=out.json"],
    ["rr --json out.json host", "rr --json=out.json host"],
    ["rr --json host --flows 3", "rr --json= host --flows 3"],
    ["rr --flows 3 --json host", "rr --flows 3 --json= host"],
    ["rr -P 3 --json out.json -l 5 host", "rr -P 3 --json=out.json -l 5 host"],
    ["rr host --json --quiet", "rr host --json= --quiet"],
    ["rr host --json -", "rr host --json=-"],
    ["rr host --json=out.json", "rr host --json=out.json"],
    ["rr --json", "rr --json="],
    ["--json", "--json="],
    ["--json out.json", "--json=out.json"],
    ["--json rr host", "--json= rr host"],
    ["rr host --bind --json", "rr host --bind --json"],
    ["rr -- --json host", "rr -- --json host"],
  ])("%s means %s", (line, settled) => {
    expect(settleJson(program, line.split(" "))).toEqual(settled.split(" "));
  });

  it("goes to stdout without a file", () => {
    expect(jsonTarget(undefined)).toEqual({ to: "nowhere" });
    expect(["", "-", true].map(jsonTarget)).toEqual([{ to: "stdout" }, { to: "stdout" }, { to: "stdout" }]);
    expect(jsonTarget("a")).toEqual({ to: "file", path: "a" });
  });
});

describe("exit codes", () => {
  it.each([
    ["ERR_INVALID_OPTION", 2],
    ["ERR_CONNECT", 3],
    ["ERR_BUSY", 4],
    ["ERR_AUTH", 4],
    ["ERR_LIMIT", 4],
    ["ERR_VERSION", 4],
    ["ERR_TIMEOUT", 1],
    ["ERR_PROTOCOL", 1],
    ["ERR_PEER_LOST", 1],
    ["ERR_TRAFFIC", 1],
    ["ERR_PORTS_EXHAUSTED", 1],
    ["ERR_PLATFORM", 1],
  ] as const)("of %s is %i", (code, exitCode) => {
    expect(exitCodeOf(new CnbLoadError(code, "x"))).toBe(exitCode);
  });

  it("of a fault of the program itself is 1, and its line shows the stack", () => {
    expect(exitCodeOf(new TypeError("x"))).toBe(1);
    expect(errorLine(new TypeError("x"))).toMatch(/^internal error: TypeError: x\n +at /);
  });
});

describe("the line of an error", () => {
  it("names options as flags, wherever the error came from", () => {
    expect(errorLine(invalidOption("serverCpus", "something else", 3))).toBe(
      "--server-cpus: expected something else, got 3",
    );
    const told = new CnbLoadError("ERR_LIMIT", "the server: flows: expected at most 10, got 20", { option: "flows" });
    expect(errorLine(told)).toBe("the server: --flows: expected at most 10, got 20");
    const hostile = new CnbLoadError("ERR_LIMIT", "the server: constructor: no", { option: "constructor" });
    expect(errorLine(hostile)).toBe("the server: constructor: no");
    expect(errorLine(new CnbLoadError("ERR_CONNECT", "no\n  such host"))).toBe("no such host");
  });
});

describe("placement on loopback", () => {
  it("puts the halves of one flow on different CPUs, and different cores where there are", () => {
    expect(placeOneFlow([0, 1, 2, 3], (cpu) => [cpu, cpu ^ 1])).toEqual({ cpus: [0], serverCpus: [2] });
    expect(placeOneFlow([4, 5], (cpu) => [cpu, cpu ^ 1])).toEqual({ cpus: [4], serverCpus: [5] });
    expect(placeOneFlow([2, 7], () => [])).toEqual({ cpus: [2], serverCpus: [7] });
    expect([placeOneFlow([3]), placeOneFlow([])]).toEqual([null, null]);
  });

  it("gives every CPU one half of two flows", () => {
    expect(placeFlowPerCpu([0, 2, 5])).toEqual({ cpus: [0, 2, 5], serverCpus: [2, 5, 0] });
    expect(placeFlowPerCpu([0])).toBeNull();
  });

  it("reads the CPUs that this process may use", () => {
    expect(allowedCpus().length).toBeGreaterThan(0);
  });
});

describe("userNamed", () => {
  it("finds a user without privileges, for root alone", () => {
    const geteuid = vi.spyOn(process, "geteuid").mockReturnValue(0);
    try {
      expect(userNamed("nobody")).toEqual({ name: "nobody", uid: 65534, gid: 65534 });
      for (const name of ["root", "nonesuch", "", "nobody:x"]) expect(() => userNamed(name)).toThrow(/^--user: /);
      geteuid.mockReturnValue(1000);
      expect(() => userNamed("nobody")).toThrow(
        "--user: only root can become another user; start the server as nobody instead",
      );
    } finally {
      geteuid.mockRestore();
    }
  });
});
