/** Tests that move no data: LOC_CPU, REM_CPU, UUID, TCP_MSS. */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Environment } from "../../run/environment.js";
import { Half } from "../../run/half.js";
import { readHostContext } from "../../result/host.js";
import { decode, encode } from "../wire/fields.js";
import { TICKS_PER_SECOND, TYPE, calibration } from "../wire/omni.js";
import type { Control } from "./control.js";
import { NetperfExit } from "./exit.js";
import { StreamServer } from "./legacy-server.js";
import { type DataEnds, clientPlan } from "./request.js";
import type { Settings, SmallTest } from "./settings.js";

export interface SmallTestOptions {
  settings: Settings;
  ends: DataEnds;
  /** Undefined with -N. */
  control: Control | undefined;
  environment: Environment;
}

/** Runs one; resolves with what it prints. Throws NetperfExit. */
export async function runSmallTest(test: SmallTest, options: SmallTestOptions): Promise<string> {
  const { settings, control } = options;
  if (test === "UUID") return settings.uuid ?? randomUUID();
  if (test === "LOC_CPU") return renderRate(settings, TICKS_PER_SECOND, availableParallelism(), "local");
  if (control === undefined) {
    throw new NetperfExit(255, { out: `No default port known for the ${test} test, please set one yourself\n` });
  }
  if (test === "TCP_MSS") return measureMss(options, control);
  control.send(encode(calibration, TYPE.calibrate, settings.remote.cpu, {}));
  const { rate, cpus } = decode(calibration, await control.answer());
  return renderRate(settings, rate, cpus, "remote");
}

function renderRate({ verbosity }: Settings, rate: number, cpus: number, where: "local" | "remote"): string {
  const more = verbosity > 1 ? `\nThere are ${cpus} ${where} cpus\n` : "";
  return `${Number(rate.toPrecision(6))}${more}`;
}

/** A connection, and what TCP_MAXSEG says of it. Like netperf it leaves the server's results unread. */
async function measureMss({ settings, ends, environment }: SmallTestOptions, control: Control): Promise<string> {
  const { dataPort } = await new StreamServer(settings, ends, control).ready(settings.remote.dataPort);
  const half = new Half(
    environment.addon(),
    clientPlan({ ...settings, kind: "receive" }, ends, dataPort, { timeCalls: false }),
  );
  try {
    half.openWindow();
    await half.ready.catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      throw new NetperfExit(1, { err: `netperf: send_tcp_mss: connect_data_socket failed: ${message}\n` });
    });
    half.closeWindow();
    await half.stop();
    const heads = settings.headers ? "Maximum\nSegment\nSize (bytes)\n\n" : "";
    return `${heads}${String(half.report(readHostContext()).socket.mssBytes).padStart(5)} \n`;
  } finally {
    await half.stop();
  }
}
