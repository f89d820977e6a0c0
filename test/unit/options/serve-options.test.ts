import { describe, expect, it } from "vitest";
import { resolveServeOptions } from "../../../src/options/spec.js";
import { refusal } from "./refusal.js";

describe("resolveServeOptions", () => {
  it("fills in every default", () => {
    expect(resolveServeOptions()).toEqual({
      host: "",
      port: 12865,
      dataPort: 0,
      cpus: null,
      maxSessions: 64,
      maxSessionsPerClient: null,
      maxFlows: 16384,
      maxDurationNs: 3600e9,
      maxBandwidthBitsPerSecond: 0,
      maxMemoryBytes: 2 * 1024 ** 3,
      allow: [],
      tokenFile: "",
      tlsCert: "",
      tlsKey: "",
      tlsCa: "",
      allowNetperf: false,
      idleExitNs: 0,
      once: false,
    });
  });

  it("takes port 0, CIDRs and addresses", () => {
    const options = resolveServeOptions({
      host: "::",
      port: 0,
      allow: "10.0.0.0/8,127.0.0.1",
      maxDuration: "90s",
      once: true,
    });
    expect(options).toMatchObject({
      host: "::",
      port: 0,
      allow: ["10.0.0.0/8", "127.0.0.1/32"],
      maxDurationNs: 90e9,
      once: true,
    });
    expect(resolveServeOptions({ allow: [] }).allow).toEqual([]);
  });

  it("refuses bad values and unknown keys", () => {
    expect(refusal(() => resolveServeOptions({ port: 65536 })).message).toBe(
      "port: expected a whole number from 0 to 65535, got 65536",
    );
    expect(refusal(() => resolveServeOptions({ allow: "10.0.0.0/40" })).message).toContain(
      "allow: expected networks or addresses",
    );
    expect(refusal(() => resolveServeOptions({ flows: 1 } as object)).message).toContain("flows: unknown option");
  });
});
