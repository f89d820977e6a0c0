/** JSON Schema of a matrix file, from the table of options: `schema/matrix.json` of the package. */
import { expectedText } from "../options/kinds.js";
import { TESTS } from "../options/names.js";
import type { Row } from "../options/row.js";
import { runTable } from "../options/table.js";
import { MAX_RUNS } from "./matrix.js";

type Schema = Record<string, unknown>;

export function matrixSchema(): Schema {
  const options = Object.fromEntries(Object.entries<Row>(runTable).map(([key, row]) => [key, optionSchema(row)]));
  const test = { enum: Object.keys(TESTS), description: "What to run" };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "cnb-load matrix",
    description: "Runs of `cnb-load suite --matrix FILE`. The server is named on the command line.",
    ...object(
      {
        $schema: { type: "string" },
        name: { type: "string", maxLength: 200, description: "Name of the matrix; the file's by default" },
        defaults: {
          description: "Options of every run whose test takes them, unless the run has its own",
          ...object(options),
        },
        runs: {
          description: "In this order",
          ...{ type: "array", minItems: 1, maxItems: MAX_RUNS, items: object({ test, ...options }, ["test"]) },
        },
      },
      ["runs"],
    ),
  };
}

function object(properties: Schema, required: readonly string[] = []): Schema {
  return { type: "object", additionalProperties: false, ...(required.length > 0 && { required }), properties };
}

/** What JSON Schema can say of an option; the rest of what is expected stands in the description. */
function optionSchema(row: Row): Schema {
  return { description: `${row.help}; ${expectedText(row)}`, ...valueSchema(row) };
}

function valueSchema(row: Row): Schema {
  switch (row.kind) {
    case "choice":
      return { enum: [...row.choices] };
    case "flag":
      return { type: "boolean" };
    case "onOff":
      return { enum: [true, false, "on", "off"] };
    case "count":
    case "size":
    case "duration":
    case "rate":
    case "bitRate":
    case "percent":
      return { type: ["number", "string"] };
    case "cpus":
      return { type: ["string", "integer", "array"], items: { type: "integer" } };
    case "portRange":
      return { type: ["string", "array"], items: { type: "integer" } };
    case "addresses":
    case "cidrs":
      return { type: ["string", "array"], items: { type: "string" } };
    case "congestion":
    case "host":
    case "file":
      return { type: "string" };
  }
}
