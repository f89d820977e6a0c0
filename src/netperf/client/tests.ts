/** The tests that there are. */
import { NetperfExit } from "./exit.js";
import type { Settings } from "./settings.js";

type Made = Partial<Pick<Settings, "kind" | "protocol" | "wire" | "small" | "sendfile" | "style">> & { title: string };

const TESTS: Readonly<Record<string, Made>> = {
  TCP_STREAM: { title: "MIGRATED TCP STREAM TEST" },
  TCP_MAERTS: { kind: "receive", title: "MIGRATED TCP MAERTS TEST" },
  TCP_RR: { kind: "rr", title: "MIGRATED TCP REQUEST/RESPONSE TEST" },
  TCP_CRR: { kind: "crr", title: "MIGRATED TCP Connect/Request/Response TEST" },
  TCP_CC: { kind: "cc", wire: "cc", title: "TCP Connect/Close TEST" },
  TCP_SENDFILE: { wire: "stream", sendfile: true, title: "TCP SENDFILE TEST" },
  TCP_MSS: { wire: "stream", small: "TCP_MSS", title: "TCP MSS TEST" },
  UDP_STREAM: { protocol: "udp", title: "MIGRATED UDP STREAM TEST" },
  UDP_RR: { kind: "rr", protocol: "udp", title: "MIGRATED UDP REQUEST/RESPONSE TEST" },
  OMNI: { style: "human", title: "OMNI Send TEST" },
  LOC_CPU: { small: "LOC_CPU", title: "" },
  REM_CPU: { small: "REM_CPU", title: "" },
  UUID: { small: "UUID", title: "" },
};
/** Throws NetperfExit for a test that there is not. */
export function testOf(settings: Settings): void {
  const known = TESTS[settings.test];
  if (known !== undefined) {
    Object.assign(settings, known);
    return;
  }
  // The original says so after connecting; the connection is kept out of it here.
  throw new NetperfExit(1, {
    out:
      `The test you requested (${settings.test}) is unknown to this netperf.\n` +
      "Please verify that you have the correct test name, \n" +
      "and that test family has been compiled into this netperf.\n",
  });
}

export function unsupported(what: string): NetperfExit {
  return new NetperfExit(1, { err: `netperf: ${what} is not supported by cnb-load\n` });
}
