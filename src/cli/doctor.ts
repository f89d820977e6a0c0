/** `cnb-load doctor [HOST]` */
import { diagnose } from "../doctor/diagnose.js";
import { sourcesUnder } from "../doctor/files.js";
import { type Look, lookAround } from "../doctor/surroundings.js";
import { CnbLoadError } from "../errors.js";
import { resolveAccess, resolveRunOptions } from "../options/spec.js";
import { accessTable, runTable } from "../options/table.js";
import { renderDiagnosis } from "../report/diagnosis.js";
import { renderJson } from "../report/json.js";
import type { Inspection } from "../run/inspect.js";
import { checkJson } from "./destinations.js";
import { EXIT, UsageError } from "./exit-codes.js";
import { pickOptions, type Values } from "./flags.js";
import { Interrupt } from "./interrupt.js";
import { jsonTarget } from "./json-option.js";
import { print, writeFileAtomically } from "./output.js";

/** The options of a run that reaching the server takes. */
const table = { port: runTable.port, family: runTable.family, ...accessTable };

/** Resolves with the exit code after everything was printed; rejects for bad options and a server that cannot be reached. */
export async function doctorCommand(host: string | undefined, values: Values): Promise<number> {
  const given = pickOptions(table, values);
  if (host === undefined && Object.keys(given).length > 0)
    throw new UsageError("HOST: missing; --port, -4, -6, --token-file and --tls* say how to reach it");
  const json = jsonTarget(values["json"]);
  await checkJson(json);
  using interrupt = new Interrupt();
  let server: Inspection | undefined;
  try {
    server = host === undefined ? undefined : await askServer(host, given, interrupt.signal);
  } catch (error) {
    if (interrupt.received) return EXIT.interrupted;
    throw error;
  }
  const surroundings = await lookAround({
    sources: sourcesUnder("/"),
    ...(await askAddon()),
    localAddress: server?.localAddress,
  });
  if (interrupt.received) return EXIT.interrupted;
  const diagnosis = diagnose(surroundings, server);
  if (json.to === "stdout") await print(renderJson(diagnosis));
  else await print(renderDiagnosis(diagnosis));
  if (json.to === "file") await writeFileAtomically(json.path, renderJson(diagnosis));
  return EXIT.done;
}

async function askServer(host: string, given: Record<string, unknown>, signal: AbortSignal): Promise<Inspection> {
  const spec = resolveRunOptions({ test: "tcp_rr", host, ...given }, "cli");
  const { inspectServer } = await import("../run/inspect.js");
  return inspectServer({ ...spec, ...resolveAccess(given, "cli") }, signal);
}

async function askAddon(): Promise<Pick<Look, "uring" | "linkFacts">> {
  try {
    const { nativeView } = await import("../run/inspect.js");
    return nativeView();
  } catch (error) {
    if (error instanceof CnbLoadError) return { uring: { error: error.message }, linkFacts: () => ({}) };
    throw error;
  }
}
