/** What a lab says to the processes in its namespaces, and they to it. */
import type { RunOptions } from "../index.js";

export type Order = { id: number } & (
  { do: "serve"; host: string } | { do: "run"; options: RunOptions; tellOpened: boolean } | { do: "abort"; run: number }
);

export type Reply = { id: number } & ({ value: unknown } | { error: string } | { opened: true });
