/** netperf: a command line in, text and an exit code out. */
import { plainAddress } from "../../control/addresses.js";
import { type Environment, realEnvironment } from "../../run/environment.js";
import { banner } from "../output/banner.js";
import { renderClassic } from "../output/classic.js";
import { renderHistogram } from "../output/histogram.js";
import { confidenceWarning, renderInterim } from "../output/notices.js";
import { renderCsv, renderHuman, renderKeyval } from "../output/selected.js";
import { type Selection, select } from "../output/selection.js";
import { renderTcpInfo } from "../output/tcp-info.js";
import { inUnit, unitName } from "../output/units.js";
import { AbsentServer } from "./absent-server.js";
import { Control, resolveHost } from "./control.js";
import { NetperfExit, type Output } from "./exit.js";
import { readFillFile } from "./fill-file.js";
import { confidenceOf, figuresOf, unitOf } from "./figures.js";
import { iterate } from "./iteration.js";
import { ConnectionServer, StreamServer } from "./legacy-server.js";
import type { Measurement } from "./measurement.js";
import { OmniServer } from "./omni-server.js";
import { parseCommandLine } from "./options.js";
import type { DataEnds, PlanExtras } from "./request.js";
import type { Server } from "./server.js";
import type { Settings } from "./settings.js";
import { runSmallTest } from "./small-tests.js";

export interface NetperfOptions {
  /** Ends the test as if its time were over (SIGINT). */
  interrupt: AbortSignal;
  environment?: Environment;
  /** DUMP_TCP_INFO is looked at. */
  variables?: NodeJS.ProcessEnv;
}

/** Runs netperf's command line; resolves with the exit code. */
export async function netperf(args: readonly string[], output: Output, options: NetperfOptions): Promise<number> {
  try {
    const settings = parseCommandLine(args);
    settings.dumpTcpInfo = settings.debug > 1 || options.variables?.["DUMP_TCP_INFO"] !== undefined;
    await run(settings, output, options);
    return 0;
  } catch (error) {
    if (!(error instanceof NetperfExit)) throw error;
    output.out(error.out);
    output.err(error.err);
    return error.code;
  }
}

async function run(settings: Settings, output: Output, options: NetperfOptions): Promise<void> {
  for (const note of settings.notes) output.err(`${note}\n`);
  const selection = settings.style === "classic" ? undefined : select(settings);
  for (const word of selection?.unknown ?? []) output.err(`netperf: unknown output selector ${word} is dropped\n`);
  const timeCalls = settings.statistics || settings.verbosity >= 2 || selection?.timed === true;
  const extras = { timeCalls, payload: readFillFile(settings.local.fillFile) };
  const trace = settings.debug > 0 ? output.err : undefined;
  const control = settings.control ? await Control.open(settings, trace) : undefined;
  try {
    const serverAt = serversOf(settings, control);
    const ends = await endsOf(settings, control);
    if (settings.headers && settings.title !== "") output.out(bannerOf(settings, ends));
    if (settings.small !== undefined) {
      const { environment = realEnvironment } = options;
      output.out(await runSmallTest(settings.small, { settings, ends, control, environment }));
      return;
    }
    const measured = await repeat(settings, ends, serverAt(ends), extras, output, options);
    report(settings, measured, selection, output);
  } finally {
    control?.close();
  }
}

/** The server at given ends of the data connection. Throws NetperfExit where there can be none. */
function serversOf(settings: Settings, control: Control | undefined): (ends: DataEnds) => Server {
  if (control === undefined) {
    const absent = new AbsentServer(settings);
    return () => absent;
  }
  const Messages = { omni: OmniServer, stream: StreamServer, cc: ConnectionServer }[settings.wire];
  return (ends) => new Messages(settings, ends, control);
}

async function endsOf(settings: Settings, control: Control | undefined): Promise<DataEnds> {
  const { dataHost, dataSource, dataFamily, bindHost } = settings;
  const sameFamily = dataFamily === "any" || dataFamily === settings.controlFamily;
  const address =
    dataHost === "" && control !== undefined && sameFamily
      ? plainAddress(control.remoteAddress)
      : (await resolveHost(dataHost === "" ? settings.host : dataHost, dataFamily)).address;
  const from = dataSource === "" ? bindHost : dataSource;
  return { address, source: from === "" ? "" : (await resolveHost(from, dataFamily)).address };
}

function sourceName(settings: Settings, ends: DataEnds): string {
  const given = settings.dataSource === "" ? settings.bindHost : settings.dataSource;
  if (given !== "") return given;
  return ends.address.includes(":") ? "::0" : "0.0.0.0";
}

function bannerOf(settings: Settings, ends: DataEnds): string {
  const ipv6 = ends.address.includes(":");
  return banner(settings, {
    ipv6,
    source: sourceName(settings, ends),
    sourceAddress: ends.source === "" ? (ipv6 ? "::" : "0.0.0.0") : ends.source,
    destination: settings.dataHost === "" ? settings.host : settings.dataHost,
    destinationAddress: ends.address,
  });
}

/** Iterations until the confidence asked for is reached, within their bounds; one where none was asked for. */
async function repeat(
  settings: Settings,
  ends: DataEnds,
  server: Server,
  extras: PlanExtras,
  output: Output,
  { interrupt, environment = realEnvironment }: NetperfOptions,
): Promise<Measurement[]> {
  const { min, max } = settings.confidence;
  const measured: Measurement[] = [];
  let dataPort = settings.remote.dataPort;
  const onInterim = interimWriter(settings, output);
  do {
    const one = await iterate({ settings, ends, server, environment, dataPort, extras, interrupt, onInterim });
    ({ dataPort } = one);
    measured.push(one);
  } while (
    !interrupt.aborted &&
    measured.length < max &&
    (measured.length < min || !confidenceOf(settings, measured).reached)
  );
  return measured;
}

interface InterimPoint {
  bytes: number;
  transactions: number;
  seconds: number;
}

function interimWriter(settings: Settings, output: Output): (point: InterimPoint) => void {
  const unit = unitOf(settings);
  let index = 0;
  return ({ bytes, transactions, seconds }) => {
    const rate = unit === "x" ? transactions / seconds : inUnit(bytes / seconds, unit);
    const point = { index: index++, rate, unitName: unitName(unit), seconds, endingAt: new Date().getTime() / 1000 };
    output.out(renderInterim(point, settings.style));
  };
}

function report(settings: Settings, measured: Measurement[], selection: Selection | undefined, output: Output): void {
  const figures = figuresOf(
    settings,
    measured,
    sourceName(settings, { address: measured[0]?.peerAddress ?? "", source: "" }),
  );
  if (settings.dumpTcpInfo && figures.tcp !== undefined) output.err(renderTcpInfo(figures.tcp));
  if (selection === undefined) {
    if (figures.confidence?.reached === false) output.out(confidenceWarning(figures.confidence));
    output.out(renderClassic(figures));
  } else {
    const renderers = { keyval: renderKeyval, csv: renderCsv, human: renderHuman, classic: renderHuman };
    output.out(renderers[settings.style](figures, selection.blocks));
  }
  if (settings.verbosity >= 2) output.out(renderHistogram(settings, figures.histogram));
}
