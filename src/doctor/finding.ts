/** What the doctor says. */

export type Severity =
  /** Will spoil a measurement. */
  | "severe"
  /** Will spoil some measurements, or may spoil any. */
  | "warning"
  /** To be borne in mind when reading figures. */
  | "notice"
  | "fine"
  /** Could not be seen from here. */
  | "unknown";

export interface Finding {
  /** Stable name, e.g. "open-files". */
  id: string;
  severity: Severity;
  /** What was found, with its figures. */
  found: string;
  /** Why it matters to a measurement. */
  why: string;
  /**
   * The command that mends it, or that shows what could not be seen; what else there is to say of it stands behind a #. Absent where there
   * is none to give.
   */
  remedy?: string;
}

/** A finding before its check's name and reason are put to it. */
export type Judgement = Pick<Finding, "severity" | "found" | "remedy">;

/** One thing that is looked at. */
export interface Check<Subject> {
  id: string;
  why: string;
  /** Undefined where it does not apply. Never throws, whatever the host's files hold. */
  judge: (subject: Subject) => Judgement | undefined;
}

export const fine = (found: string): Judgement => ({ severity: "fine", found });

export function runChecks<Subject>(checks: readonly Check<Subject>[], subject: Subject): Finding[] {
  return checks.flatMap(({ id, why, judge }) => {
    const judgement = judge(subject);
    return judgement === undefined ? [] : [{ id, why, ...judgement }];
  });
}

/** One host and what was found on it. */
export interface Patient {
  hostname: string;
  kernel: string;
  /** The interface that was looked at. */
  interface?: string;
  findings: Finding[];
}

/** What `cnb-load doctor` found, schema `cnb-load/doctor/1`. */
export interface Diagnosis {
  schema: "cnb-load/doctor/1";
  /** This host. */
  client: Patient;
  /** Of the host named; absent where none was, or where it is this one. */
  server?: Patient;
  /** What could not be looked at, and how it can. */
  unseen: string[];
}
