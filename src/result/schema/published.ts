import { ComparisonSchema } from "./comparison.js";
import { ResultSchema } from "./result.js";
import { ResultsSchema } from "./results.js";
import { EndReportSchema } from "./wire.js";

/** The files of the package's `schema/` folder that describe results: three for users, and the one that `check.ts` reads at run time. */
export const publishedSchemas = {
  "comparison.json": ComparisonSchema,
  "result.json": ResultSchema,
  "results.json": ResultsSchema,
  "end-report.json": EndReportSchema,
};
