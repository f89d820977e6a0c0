import { exchangeRows } from "./run-table/exchanges.js";
import { socketRows } from "./run-table/sockets.js";
import { transferRows } from "./run-table/transfers.js";
import { windowRows } from "./run-table/window.js";
import { workerRows } from "./run-table/workers.js";
import type { Table } from "./row.js";

export { accessTable } from "./access-table.js";
export { serveTable } from "./serve-table.js";

/**
 * Options of a run, in the order in which help shows them. Types, flags, help, the README's table and validation derive from
 * these rows. The bound on `flows` is generous on purpose: what a server accepts is its own limit.
 */
export const runTable = {
  ...windowRows,
  ...workerRows,
  ...exchangeRows,
  ...transferRows,
  ...socketRows,
} as const satisfies Table;
