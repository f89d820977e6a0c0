/** Lines beside the tables. */
import type { Confidence } from "../client/figures.js";
import type { TableStyle } from "../client/settings.js";

export function confidenceWarning({ throughput, localCpu, remoteCpu }: Confidence): string {
  const line = (name: string, width: number): string => `${name}${width.toFixed(3)}%\n`;
  return (
    "!!! WARNING\n" +
    "!!! Desired confidence was not achieved within the specified iterations.\n" +
    "!!! This implies that there was variability in the test environment that\n" +
    "!!! must be investigated before going further.\n" +
    line("!!! Confidence intervals: Throughput      : ", throughput) +
    line("!!!                       Local CPU util  : ", localCpu) +
    `${line("!!!                       Remote CPU util : ", remoteCpu)}\n`
  );
}

export interface InterimResult {
  index: number;
  rate: number;
  /** Without "/s". */
  unitName: string;
  seconds: number;
  /** Wall clock, seconds since 1970. */
  endingAt: number;
}

export function renderInterim({ index, rate, unitName, seconds, endingAt }: InterimResult, style: TableStyle): string {
  const value = rate.toFixed(2);
  const units = `${unitName}/s`;
  const [length, ending] = [seconds.toFixed(3), endingAt.toFixed(3)];
  if (style === "csv") return `${value},${units},${length},${ending}\n`;
  if (style !== "keyval") {
    return `Interim result: ${value.padStart(7)} ${units} over ${length} seconds ending at ${ending}\n`;
  }
  return (
    `NETPERF_INTERIM_RESULT[${index}]=${value}\nNETPERF_UNITS[${index}]=${units}\n` +
    `NETPERF_INTERVAL[${index}]=${length}\nNETPERF_ENDING[${index}]=${ending}\n`
  );
}
