import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CnbLoadError } from "../../../src/errors.js";
import { defaultText, expectedText, formatValue, parseValue } from "../../../src/options/kinds.js";
import { findByFlag, flagOf } from "../../../src/options/names.js";
import type { Row } from "../../../src/options/row.js";
import { resolveRunOptions } from "../../../src/options/spec.js";
import { runTable, serveTable } from "../../../src/options/table.js";
import { untyped } from "./refusal.js";

describe("the table", () => {
  const rows: [string, Row][] = [...Object.entries(runTable), ...Object.entries(serveTable)];

  it("gives every option a flag that spells its name", () => {
    for (const [key, row] of rows) {
      if (row.kind === "choice" && "switches" in row) continue;
      const spelled = flagOf(row)
        .slice(2)
        .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
      expect(spelled).toBe(key);
    }
    expect(findByFlag(runTable, "-P")?.key).toBe("flows");
    expect(findByFlag(runTable, "-6")?.key).toBe("family");
    expect(findByFlag(runTable, "--server-cpus")?.key).toBe("serverCpus");
    expect(findByFlag(runTable, "--flow")).toBeUndefined();
  });

  it("uses no flag twice and has a default that it accepts itself", () => {
    for (const table of [runTable, serveTable]) {
      const flags = Object.values<Row>(table).flatMap((row) => row.flags.match(/(?<![\w<])--?[\w-]+/g) ?? []);
      expect(new Set(flags).size).toBe(flags.length);
    }
    for (const [key, row] of rows) {
      const open = row.default === null || row.default === "" || Array.isArray(row.default);
      if (!open)
        expect([key, parseValue(row, formatValue(row, row.default)) ?? row.default]).toEqual([key, row.default]);
      expect(defaultText(row) === "" || expectedText(row) === "").toBe(false);
    }
  });

  it("never throws anything but a refusal, whatever comes", () => {
    const keys = Object.keys(runTable);
    fc.assert(
      fc.property(fc.constantFrom(...keys), fc.anything(), (key, value) => {
        try {
          resolveRunOptions(untyped({ [key]: value }));
        } catch (error) {
          expect(error).toBeInstanceOf(CnbLoadError);
        }
      }),
    );
  });
});
