import type { TestName } from "./resolved.js";
import type { InputsOf } from "./row.js";
import type { InMemory } from "./access.js";
import type { accessTable, runTable, serveTable } from "./table.js";

/** Options of a run as a caller writes them. Sizes: bytes or "64K"; durations: seconds or "500ms". */
export interface RunOptions extends InputsOf<typeof runTable>, InputsOf<typeof accessTable>, InMemory {
  test: TestName;
  /** Name or numeric address of the server. */
  host: string;
}

/** Options of a server as a caller writes them. */
export interface ServeOptions extends InputsOf<typeof serveTable>, InMemory {}
