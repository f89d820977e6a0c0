/** Command lines as tables: one row per option. */
import type { Settings, SideSettings } from "./settings.js";
import { type both } from "./values.js";

type Apply = (settings: Settings, value: string) => void;

interface Option {
  /** As in getopt's notation: no value, one, or the next word if it fits. */
  takes: "" | ":" | "?";
  apply: Apply;
}

export type OptionTable = Readonly<Record<string, Option>>;

export function flag(apply: (settings: Settings) => void): Option {
  return { takes: "", apply };
}

export function valued(apply: Apply): Option {
  return { takes: ":", apply };
}

export function optional(apply: Apply): Option {
  return { takes: "?", apply };
}

/** One value for each of two things; `split` says what a single one means. */
export function paired(
  split: typeof both,
  first: (settings: Settings, value: string) => void,
  second: (settings: Settings, value: string) => void,
): Option {
  return valued((settings, value) => {
    const [one, other] = split(value);
    if (one !== undefined) first(settings, one);
    if (other !== undefined) second(settings, other);
  });
}

/** The same of both sides, local first. */
export function sided(split: typeof both, set: (side: SideSettings, value: string) => void): Option {
  return paired(
    split,
    ({ local }, value) => {
      set(local, value);
    },
    ({ remote }, value) => {
      set(remote, value);
    },
  );
}

export function specOf(table: OptionTable): string {
  return Object.entries(table)
    .map(([letter, { takes }]) => letter + takes)
    .join("");
}
