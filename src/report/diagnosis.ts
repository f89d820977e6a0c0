/** A diagnosis as plain text for a terminal. */
import type { Diagnosis, Finding, Patient, Severity } from "../doctor/finding.js";
import { wrap } from "./layout.js";

const WIDTH = 100;

/** As wide as the widest, so that what was found lines up. */
const NAMES: Readonly<Record<Severity, string>> = {
  severe: "SEVERE ",
  warning: "WARNING",
  notice: "notice ",
  unknown: "unknown",
  fine: "fine   ",
};
const INDENT = " ".repeat(NAMES.fine.length + 2);

/** Every finding of each host, most urgent first; ends with a newline. */
export function renderDiagnosis({ client, server, unseen }: Diagnosis): string {
  const blocks = [
    patientLines(server === undefined ? "this host" : "client", client),
    ...(server === undefined ? [] : [patientLines("server", server)]),
    unseen.flatMap((text) => wrap(text, WIDTH, "")),
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join("\n"))
    .join("\n\n")}\n`;
}

function patientLines(role: string, patient: Patient): string[] {
  const { hostname, kernel, findings } = patient;
  const about = [hostname, kernel, ...(patient.interface === undefined ? [] : [patient.interface])].map(printable);
  return [`${role}: ${about.join(", ")}: ${tally(findings)}`, ...findings.flatMap(findingLines)];
}

/** "1 severe, 2 warnings, 14 fine" */
function tally(findings: readonly Finding[]): string {
  const counts = new Map<Severity, number>();
  for (const { severity } of findings) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  return [...counts]
    .map(([severity, count]) => {
      const plural = count > 1 && (severity === "warning" || severity === "notice");
      return `${count} ${severity}${plural ? "s" : ""}`;
    })
    .join(", ");
}

/** What is fine takes a line; the rest says why it matters and what to do. */
function findingLines({ id, severity, found, why, remedy }: Finding): string[] {
  const [first = "", ...more] = wrap(`${id}: ${printable(found)}`, WIDTH, INDENT);
  const lines = [`${NAMES[severity]}  ${first.trimStart()}`, ...more];
  if (severity === "fine") return lines;
  const mend = severity === "unknown" ? "see" : "mend";
  return [
    ...lines,
    ...wrap(why, WIDTH, INDENT),
    // Never wrapped: a command is to be copied.
    ...(remedy === undefined ? [] : [`${INDENT}${mend}: ${printable(remedy)}`]),
  ];
}

/** A server's words must not drive the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}
