import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";

export function committedSchema(name: "result.json" | "end-report.json" | "comparison.json"): Record<string, unknown> {
  const text = readFileSync(new URL(`../../../schema/${name}`, import.meta.url), "utf8");
  return JSON.parse(text) as Record<string, unknown>;
}

/** The schema closed against unknown properties: what we write is to be described in full. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(schema)) copy[name] = closed(value);
  return "properties" in schema ? { ...copy, additionalProperties: false } : copy;
}

const ajv = new Ajv({ allErrors: true });
// The type declarations describe a CommonJS module whose callable export sits under `default`.
(addFormats as unknown as (to: Ajv) => void)(ajv);
const validators = {
  result: ajv.compile(closed(committedSchema("result.json")) as object),
  report: ajv.compile(closed(committedSchema("end-report.json")) as object),
  comparison: ajv.compile(closed(committedSchema("comparison.json")) as object),
};

/** Problems that ajv finds in a value after a trip through JSON, where NaN and Infinity would become null; none means valid. */
export function schemaProblems(kind: keyof typeof validators, value: unknown): string[] {
  const validate = validators[kind];
  validate(JSON.parse(JSON.stringify(value)));
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message ?? ""}`);
}
