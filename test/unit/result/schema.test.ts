import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { publishedSchemas } from "../../../src/result/schema/published.js";
import { committedSchema } from "./schema-problems.js";

/** Calls `visit` for a schema and every schema within, with its path. */
function walk(
  schema: Record<string, unknown>,
  path: string,
  visit: (schema: Record<string, unknown>, path: string) => void,
): void {
  visit(schema, path);
  const inner = (value: unknown, step: string): void => {
    walk(value as Record<string, unknown>, `${path}${step}`, visit);
  };
  for (const [name, property] of Object.entries(schema["properties"] ?? {})) inner(property, `.${name}`);
  for (const choice of (schema["anyOf"] as unknown[] | undefined) ?? []) inner(choice, "|");
  if (schema["items"] !== undefined) inner(schema["items"], "[]");
}

describe("the published schemas", () => {
  it.each(["result.json", "end-report.json", "comparison.json"] as const)(
    "%s is up to date; if not: npm run schema",
    (name) => {
      expect(committedSchema(name)).toEqual(JSON.parse(JSON.stringify(publishedSchemas[name])));
    },
  );

  it.each(["result.json", "comparison.json"] as const)("describe every property of %s", (name) => {
    const bare: string[] = [];
    walk(committedSchema(name), name, (schema, path) => {
      if (/\.[^|[]+$/.test(path) && typeof schema["description"] !== "string") bare.push(path);
    });
    expect(bare).toEqual([]);
  });

  it("use only the keywords that the run-time check knows", () => {
    const known = new Set([
      "type",
      "enum",
      "const",
      "minimum",
      "maximum",
      "maxLength",
      "minItems",
      "maxItems",
      "items",
      "required",
      "properties",
      "anyOf",
      "description",
    ]);
    const unknown = new Set<string>();
    walk(committedSchema("end-report.json"), "report", (schema) => {
      for (const keyword of Object.keys(schema)) if (!known.has(keyword)) unknown.add(keyword);
    });
    expect([...unknown]).toEqual([]);
  });

  it("name the unit in every figure that has one", () => {
    const units =
      /(Ns|Bytes|bytes|bytesSent|bytesReceived|bitsPerSecond|BitsPerSecond|perSecond|PerSecond|[cC]ores|nsPer\w+|Pct|Packets)$/;
    const unitless = new Set(
      (
        "samples port flows threads cpus serverCpus burst backlog dataPort count cpu remoteCpu incomingCpu remoteIncomingCpu utilization throttledPeriods retransmits target runs run " +
        "confidence rxQueues txQueues napiDeferHardIrqs transactions connections portsExhausted refused timedOut reset other " +
        "rxErrors rxDropped txErrors txDropped processed dropped timeSqueezed receivedRps activeOpens passiveOpens inSegments outSegments " +
        "retransmittedSegments timeouts listenOverflows listenDrops fastOpensActive fastOpensPassive batch sent received marked lost late receiverDrops " +
        "inDatagrams outDatagrams noPorts inErrors receiveBufferErrors sendBufferErrors"
      ).split(" "),
    );
    const nameless: string[] = [];
    walk(committedSchema("result.json"), "result", (schema, path) => {
      const name = /\.([^.|[]+)$/.exec(path)?.[1];
      if (name === undefined || !["integer", "number"].includes(String(schema["type"]))) return;
      if (!units.test(name) && !unitless.has(name)) nameless.push(path);
    });
    expect(nameless).toEqual([]);
  });
});

describe("the sources", () => {
  it("load TypeBox nowhere but in src/result/schema: its import costs hundreds of milliseconds", () => {
    const root = new URL("../../../src/", import.meta.url).pathname;
    const offenders = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.startsWith(join("result", "schema")))
      .filter((file) =>
        // An import without `type` before the brace runs the module, even when all it names are types.
        /^(?:import|export) (?!type )[^;]*?["'](?:typebox[^"']*|[^"']*\/schema\/[^"']*\.js)["']/m.test(
          readFileSync(join(root, file), "utf8"),
        ),
      );
    expect(offenders).toEqual([]);
  });
});
