import { compact } from "../result/compact.js";
import type { HostContext } from "../result/model.js";
import { contextChecks, serverChecks } from "./context.js";
import { cpuChecks } from "./cpus.js";
import { type Diagnosis, type Finding, type Patient, runChecks, type Severity } from "./finding.js";
import { limitChecks } from "./limits.js";
import { networkChecks } from "./network.js";
import type { Surroundings, UringSupport } from "./surroundings.js";

/** A server's account of itself. */
export interface ServerAccount {
  host: HostContext;
  uringRefusal: string | null;
  /** Whether it runs on this machine. */
  sameHost: boolean;
}

const URGENCY: Readonly<Record<Severity, number>> = { severe: 0, warning: 1, notice: 2, unknown: 3, fine: 4 };

/** Most urgent first; within one severity in the order of the checks. */
const byUrgency = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => URGENCY[a.severity] - URGENCY[b.severity]);

function patient({ hostname, kernel, interface: name }: HostContext, findings: readonly Finding[]): Patient {
  return compact({ hostname, kernel, interface: name, findings: byUrgency(findings) });
}

function examineHost(host: Surroundings): Patient {
  return patient(host.context, [
    ...runChecks(contextChecks, host),
    ...runChecks(networkChecks, host),
    ...runChecks(cpuChecks, host),
    ...runChecks(limitChecks, host),
  ]);
}

function examineServer({ host, uringRefusal }: ServerAccount, local: HostContext): Patient {
  const uring: UringSupport = { refusal: uringRefusal };
  return patient(host, [
    ...runChecks(contextChecks, { context: host, uring }),
    ...runChecks(serverChecks, { local, remote: host }),
  ]);
}

/** What will spoil a measurement on this host, and on the server's where one answered. Never throws. */
export function diagnose(host: Surroundings, server?: ServerAccount): Diagnosis {
  const unseen: string[] = [];
  if (server?.sameHost === true) unseen.push("The server runs on this machine: both ends share what is found here.");
  else if (server !== undefined) {
    unseen.push(
      "Of the server's host only what it tells of itself: for its limits, connection tracking, interrupts, steal and other load run cnb-load doctor there.",
    );
  }
  return compact({
    schema: "cnb-load/doctor/1",
    client: examineHost(host),
    server: server === undefined || server.sameHost ? undefined : examineServer(server, host.context),
    unseen,
  });
}
