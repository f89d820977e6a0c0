import type { CpuGroup } from "./resolved.js";

export type RunCommand = "stream" | "maerts" | "rr" | "crr" | "cc" | "udp-stream" | "udp-rr";
export type Command = RunCommand | "server";

interface RowBase {
  /** Name in {@link ResolvedSpec} or {@link ResolvedServeOptions}, with the unit of the resolved value. */
  field: string;
  /** As commander and `--help` show it. */
  flags: string;
  commands: readonly Command[];
  help: string;
  /** How the default reads in help and README where its value would say too little ("automatic"). */
  defaultText?: string;
}

/** A whole number within min and max; with `orZero` also 0, whose meaning `defaultText` or `help` tells. */
interface Ranged {
  min: number;
  max: number;
  orZero?: true;
}

export type Row = RowBase &
  (
    | ({ kind: "count"; default: number | null } & Ranged)
    /** Bytes; `auto`: what the word, which leaves the size to be found out, becomes. */
    | ({
        kind: "size";
        default: number | null;
        defaultFor?: Partial<Record<Command, number>>;
        auto?: 0 | null;
      } & Ranged)
    /** Nanoseconds. */
    | ({ kind: "duration"; default: number } & Ranged)
    /** Something per second. */
    | ({ kind: "rate"; default: number } & Ranged)
    /** Bits per second. */
    | ({ kind: "bitRate"; default: number } & Ranged)
    /** Percent, fractions allowed. */
    | ({ kind: "percent"; default: number } & Ranged)
    | { kind: "cpus"; default: null }
    | { kind: "choice"; default: string; choices: readonly string[]; switches?: Readonly<Record<string, string>> }
    | { kind: "onOff"; default: boolean; defaultFor?: Partial<Record<Command, boolean>> }
    | { kind: "flag"; default: false }
    | { kind: "congestion"; default: "" }
    | { kind: "host"; default: "" }
    | { kind: "addresses"; default: readonly string[] }
    | { kind: "cidrs"; default: readonly string[] }
    | { kind: "portRange"; default: null }
    /** Name of a file, "" = none. */
    | { kind: "file"; default: "" }
  );

export type Table = Readonly<Record<string, Row>>;

interface Inputs {
  count: number;
  size: number | string;
  duration: number | string;
  rate: number | string;
  bitRate: number | string;
  percent: number | string;
  cpus: number | readonly number[] | string;
  onOff: boolean | "on" | "off";
  flag: boolean;
  congestion: string;
  host: string;
  addresses: string | readonly string[];
  cidrs: string | readonly string[];
  portRange: readonly [number, number] | string;
  file: string;
}

interface Outputs {
  count: number;
  size: number;
  duration: number;
  rate: number;
  bitRate: number;
  percent: number;
  cpus: number[] | CpuGroup;
  onOff: boolean;
  flag: boolean;
  congestion: string;
  host: string;
  addresses: string[];
  cidrs: string[];
  portRange: [number, number];
  file: string;
}

type Choice<R> = R extends { choices: readonly (infer C)[] } ? C : never;
type InputOf<R extends Row> = R["kind"] extends keyof Inputs ? Inputs[R["kind"]] : Choice<R>;
type OutputOf<R extends Row> =
  (R["kind"] extends keyof Outputs ? Outputs[R["kind"]] : Choice<R>) | (R["default"] extends null ? null : never);

/** The options of a table as a caller writes them. */
export type InputsOf<T extends Table> = { [K in keyof T]?: InputOf<T[K]> | undefined };

/** The options of a table as resolved: every field is there. */
export type OutputsOf<T extends Table> = { -readonly [K in keyof T as T[K]["field"]]: OutputOf<T[K]> };
