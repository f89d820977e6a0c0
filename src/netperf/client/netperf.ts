/** netperf: a command line in, text and an exit code out. */
import { plainAddress } from "../../control/addresses.js";
import { type Environment, realEnvironment } from "../../run/environment.js";
import { banner } from "../output/banner.js";
import { renderClassic } from "../output/classic.js";
import { confidenceWarning, renderInterim } from "../output/notices.js";
import { renderCsv, renderHuman, renderKeyval } from "../output/selected.js";
import { type Selection, select } from "../output/selection.js";
import { inUnit, unitName } from "../output/units.js";
import { Control, resolveHost } from "./control.js";
import { NetperfExit, type Output } from "./exit.js";
import { confidenceOf, figuresOf, unitOf } from "./figures.js";
import { iterate } from "./iteration.js";
import type { Measurement } from "./measurement.js";
import { parseCommandLine } from "./options.js";
import type { DataEnds } from "./request.js";
import type { Settings } from "./settings.js";

export interface NetperfOptions {
  /** Ends the test as if its time were over (SIGINT). */
  interrupt: AbortSignal;
  environment?: Environment;
}

/** Runs netperf's command line; resolves with the exit code. */
export async function netperf(args: readonly string[], output: Output, options: NetperfOptions): Promise<number> {
  try {
    await run(parseCommandLine(args), output, options);
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
  const control = await Control.open(settings);
  try {
    const ends = await endsOf(settings, control);
    if (settings.headers) output.out(bannerOf(settings, ends));
    const measured = await repeat(settings, ends, control, selection, output, options);
    report(settings, measured, selection, output);
  } finally {
    control.close();
  }
}

async function endsOf(settings: Settings, control: Control): Promise<DataEnds> {
  const { dataHost, dataSource, dataFamily, bindHost } = settings;
  const address =
    dataHost === "" && (dataFamily === "any" || dataFamily === settings.controlFamily)
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
  control: Control,
  selection: Selection | undefined,
  output: Output,
  { interrupt, environment = realEnvironment }: NetperfOptions,
): Promise<Measurement[]> {
  const { min, max } = settings.confidence;
  const timeCalls = settings.statistics || settings.verbosity >= 2 || selection?.timed === true;
  const measured: Measurement[] = [];
  let dataPort = settings.remote.dataPort;
  let index = 0;
  const unit = unitOf(settings);
  const onInterim = ({
    bytes,
    transactions,
    seconds,
  }: {
    bytes: number;
    transactions: number;
    seconds: number;
  }): void => {
    const rate = unit === "x" ? transactions / seconds : inUnit(bytes / seconds, unit);
    const point = { index: index++, rate, unitName: unitName(unit), seconds, endingAt: Date.now() / 1000 };
    output.out(renderInterim(point, settings.style));
  };
  do {
    const one = await iterate({ settings, ends, control, environment, dataPort, timeCalls, interrupt, onInterim });
    ({ dataPort } = one);
    measured.push(one);
  } while (
    !interrupt.aborted &&
    measured.length < max &&
    (measured.length < min || !confidenceOf(settings, measured).reached)
  );
  return measured;
}

function report(settings: Settings, measured: Measurement[], selection: Selection | undefined, output: Output): void {
  const figures = figuresOf(
    settings,
    measured,
    sourceName(settings, { address: measured[0]?.peerAddress ?? "", source: "" }),
  );
  if (selection === undefined) {
    if (figures.confidence?.reached === false) output.out(confidenceWarning(figures.confidence));
    output.out(renderClassic(figures));
    return;
  }
  const renderers = { keyval: renderKeyval, csv: renderCsv, human: renderHuman, classic: renderHuman };
  output.out(renderers[settings.style](figures, selection.blocks));
}
