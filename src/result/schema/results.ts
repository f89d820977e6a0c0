import { Type } from "typebox";
import { list, text } from "./fields.js";
import { ResultSchema } from "./result.js";
import { SpecSchema } from "./spec.js";

const { Optional } = Type;

/** Several results in one file. Readers ignore properties that they do not know. */
export const ResultsSchema = Type.Object(
  {
    schema: Type.Literal("cnb-load/results/1", { description: "Name and version of this schema" }),
    label: Optional(text('What was measured, in the user\'s words, e.g. "cilium-1.18"')),
    startedAt: Optional(
      Type.String({ format: "date-time", description: "When the suite began, ISO 8601 in UTC by the client's clock" }),
    ),
    matrix: Optional(
      Type.Object(
        {
          name: text("A preset's name or the matrix file's"),
          runs: list(SpecSchema, "Every run asked for, in order, its options as resolved"),
        },
        { description: "What a suite was asked to run" },
      ),
    ),
    results: list(ResultSchema, "One result per run, in order of the matrix where there is one"),
  },
  {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "cnb-load results",
    description: "Results of several runs, with both hosts' context in each. `cnb-load suite` writes it.",
  },
);
