import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { expect } from "vitest";
import type { Result } from "../../src/result/model.js";

const schema = JSON.parse(readFileSync(new URL("../../schema/result.json", import.meta.url), "utf8")) as object;
const ajv = new Ajv({ strict: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);

/** The one JSON document that is all of stdout, valid by the published schema. */
export function resultOf({ stdout }: { stdout: string }): Result {
  return checked(JSON.parse(stdout));
}

export function checked(value: unknown): Result {
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  return value as Result;
}
