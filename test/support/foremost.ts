/**
 * Gives this process, and whatever it starts, precedence over other work on the machine: a truth that is to be met within a per cent would
 * otherwise be that of a machine which runs something else as well. Takes root; without it the machine had better be quiet.
 */
import { setPriority } from "node:os";

try {
  setPriority(-20);
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "ERR_SYSTEM_ERROR") throw error;
}
