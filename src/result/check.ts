/**
 * Checks what a peer claims about itself against the JSON Schemas generated from `schema/`. TypeBox's own checker would cost every client
 * and server hundreds of milliseconds at import; this covers exactly the keywords that those schemas use.
 */
import { readFileSync } from "node:fs";
import { CnbLoadError } from "../errors.js";
import type { HostContext } from "./model.js";
import type { EndReport } from "./raw.js";

/** The part of JSON Schema that `src/result/schema` uses. */
export interface JsonSchema {
  type?: "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";
  enum?: readonly unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  items?: JsonSchema;
  required?: readonly string[];
  properties?: Readonly<Record<string, JsonSchema>>;
  anyOf?: readonly JsonSchema[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function hasType(type: NonNullable<JsonSchema["type"]>, value: unknown): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}

/** Names what came without printing all of it: a hostile peer's value may be huge or nested beyond any recursion. */
function kindOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 37)}...` : value);
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : String(value);
}

function scalarProblem(schema: JsonSchema, value: unknown): string | null {
  if (schema.type !== undefined && !hasType(schema.type, value)) return `expected ${schema.type}`;
  if (schema.const !== undefined && value !== schema.const) return `expected ${kindOf(schema.const)}`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) return `expected one of ${schema.enum.join(", ")}`;
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum) return `expected at least ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `expected at most ${schema.maximum}`;
  }
  if (typeof value === "string" && schema.maxLength !== undefined && value.length > schema.maxLength) {
    return `expected at most ${schema.maxLength} characters`;
  }
  return null;
}

function listProblem(schema: JsonSchema, value: readonly unknown[], path: string): string | null {
  const { minItems = 0, maxItems = Infinity, items } = schema;
  if (value.length < minItems || value.length > maxItems) {
    return `${path}: expected ${minItems} to ${maxItems} entries, got ${value.length}`;
  }
  if (items === undefined) return null;
  for (const [index, entry] of value.entries()) {
    const problem = shapeProblem(items, entry, `${path}[${index}]`);
    if (problem !== null) return problem;
  }
  return null;
}

function objectProblem(schema: JsonSchema, value: Record<string, unknown>, path: string): string | null {
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) return `${path}: ${name} is missing`;
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    const problem = shapeProblem(property, value[name], `${path}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

/** The first thing in which `value` departs from `schema`, with its path, or null. Properties that the schema does not know are let pass. */
export function shapeProblem(schema: JsonSchema, value: unknown, path: string): string | null {
  if (schema.anyOf !== undefined) {
    const problems = schema.anyOf.map((choice) => shapeProblem(choice, value, path));
    return problems.includes(null) ? null : (problems[0] ?? null);
  }
  const problem = scalarProblem(schema, value);
  if (problem !== null) return `${path}: ${problem}, got ${kindOf(value)}`;
  if (Array.isArray(value)) return listProblem(schema, value, path);
  return isObject(value) ? objectProblem(schema, value, path) : null;
}

let endReportSchema: (JsonSchema & { properties: { host: JsonSchema } }) | undefined;

/** Read once, when the first peer is heard. The file lies at the same distance from `src/result` and `dist/result`. */
function loadEndReportSchema(): NonNullable<typeof endReportSchema> {
  endReportSchema ??= JSON.parse(
    readFileSync(new URL("../../schema/end-report.json", import.meta.url), "utf8"),
  ) as NonNullable<typeof endReportSchema>;
  return endReportSchema;
}

function malformed(problem: string): CnbLoadError {
  return new CnbLoadError("ERR_PROTOCOL", `Malformed message from the peer: ${problem}`);
}

/** A peer's report, checked; throws {@link CnbLoadError} `ERR_PROTOCOL` that names the property at fault. */
export function parseEndReport(value: unknown): EndReport {
  const problem = shapeProblem(loadEndReportSchema(), value, "report");
  if (problem !== null) throw malformed(problem);
  const report = value as EndReport;
  for (const [name, column] of Object.entries(report.flows)) {
    if (Array.isArray(column) && column.length !== report.flows.cpu.length) {
      throw malformed(`report.flows.${name}: expected ${report.flows.cpu.length} entries, got ${column.length}`);
    }
  }
  return report;
}

/** A peer's account of its host, checked; throws like {@link parseEndReport}. */
export function parseHostContext(value: unknown): HostContext {
  const problem = shapeProblem(loadEndReportSchema().properties.host, value, "host");
  if (problem !== null) throw malformed(problem);
  return value as HostContext;
}
