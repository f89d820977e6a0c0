import { ResultSchema } from "./result.js";
import { EndReportSchema } from "./wire.js";

/** The files of the package's `schema/` folder: the one for users, and the one that `check.ts` reads at run time. */
export const publishedSchemas = { "result.json": ResultSchema, "end-report.json": EndReportSchema };
