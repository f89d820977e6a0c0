import { readFile } from "node:fs/promises";
import { type ResultsDocument, parseResults } from "../result/documents.js";
import { UsageError } from "./exit-codes.js";

/** The results in a file; a file that cannot be read or holds none is wrong use of the command line. */
export async function readResults(path: string): Promise<ResultsDocument> {
  return parseResults(await readText(path), path);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
